import { ClsPluginTransactional, Transactional } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { ClsModule } from 'nestjs-cls';
import { JobClient, JobsModule, type AmbientTransactions } from 'nestjs-typeorm-jobs';
import { clsTransactional } from 'nestjs-typeorm-jobs/cls-transactional';
import { typeormTransactional } from 'nestjs-typeorm-jobs/typeorm-transactional';
import type { DataSource } from 'typeorm';
import {
  addTransactionalDataSource,
  initializeTransactionalContext,
  StorageDriver,
  Transactional as TypeormTransactional,
} from 'typeorm-transactional';

@Injectable()
class Orders {
  constructor(private readonly jobs: JobClient) {}

  @Transactional()
  async placeWithCls(id: string): Promise<void> {
    await this.place(id);
  }

  @TypeormTransactional()
  async placeWithTypeorm(id: string): Promise<void> {
    await this.place(id);
  }

  private async place(id: string): Promise<void> {
    await this.jobs.enqueue('order', null, { id });
    if (id.startsWith('undone')) throw new Error('undo');
  }
}

const cls = () =>
  ClsModule.forRoot({
    global: true,
    plugins: [
      new ClsPluginTransactional({
        adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() }),
      }),
    ],
  });

describe.each<[string, () => AmbientTransactions, 'placeWithCls' | 'placeWithTypeorm']>([
  ['@nestjs-cls/transactional', clsTransactional, 'placeWithCls'],
  ['typeorm-transactional', typeormTransactional, 'placeWithTypeorm'],
])('an enqueue in a transaction of %s', (_name, library, method) => {
  it('joins it', async () => {
    const app = await Test.createTestingModule({
      imports: [
        cls(),
        TypeOrmModule.forRoot({ type: 'postgres', url: process.env.POSTGRES_URL }),
        JobsModule.forRoot({ transactions: library(), worker: false }),
      ],
      providers: [Orders],
    }).compile();
    try {
      if (method === 'placeWithTypeorm') {
        initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE });
        addTransactionalDataSource(app.get<DataSource>(getDataSourceToken()));
      }
      await app.init();
      const [orders, jobs] = [app.get(Orders), app.get(JobClient)];
      await expect(orders[method](`undone-${method}-11`)).rejects.toThrow('undo');
      expect(await jobs.get(`undone-${method}-11`)).toBeNull();
      await orders[method](`done-${method}-11`);
      expect(await jobs.get(`done-${method}-11`)).not.toBeNull();
    } finally {
      await app.close();
    }
  });
});

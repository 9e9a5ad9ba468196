import 'reflect-metadata';
import assert from 'node:assert/strict';
import test from 'node:test';
import { ClsPluginTransactional, Transactional } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
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

const cls = ClsModule.forRoot({
  global: true,
  plugins: [
    new ClsPluginTransactional({
      adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() }),
    }),
  ],
});
const url = process.env.POSTGRES_URL;

async function joins(transactions: AmbientTransactions, method: 'placeWithCls' | 'placeWithTypeorm') {
  @Module({
    imports: [
      cls,
      TypeOrmModule.forRoot({ type: 'postgres', url }),
      JobsModule.forRoot({ transactions, worker: false }),
    ],
    providers: [Orders],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  try {
    if (method === 'placeWithTypeorm') {
      initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE });
      addTransactionalDataSource(app.get<DataSource>(getDataSourceToken()));
    }
    const [orders, jobs] = [app.get(Orders), app.get(JobClient)];
    await assert.rejects(orders[method](`undone-${method}`), /undo/);
    assert.equal(await jobs.get(`undone-${method}`), null);
    await orders[method](`done-${method}`);
    assert.notEqual(await jobs.get(`done-${method}`), null);
  } finally {
    await app.close();
  }
}

test('an enqueue joins the transaction of @nestjs-cls/transactional', () =>
  joins(clsTransactional(), 'placeWithCls'));
test('an enqueue joins the transaction of typeorm-transactional', () =>
  joins(typeormTransactional(), 'placeWithTypeorm'));

import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { JobClient, JobHandler, JobsModule, type Job, type JobContext } from 'nestjs-typeorm-jobs';
import type { DataSource } from 'typeorm';

@Injectable()
class Greetings {
  @JobHandler('greet')
  greet(job: Job<{ name: string }>): string {
    return `Hello ${job.payload.name}`;
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerJob {
  constructor(@Inject(REQUEST) private readonly context: JobContext) {}

  @JobHandler('whoami')
  whoami(): string {
    return this.context.job.id;
  }
}

describe('jobs in a Nest 11 application', () => {
  let app: TestingModule;
  let jobs: JobClient;

  beforeAll(async () => {
    app = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: process.env.POSTGRES_URL }),
        JobsModule.forRoot(),
      ],
      providers: [Greetings, PerJob],
    }).compile();
    await app.init();
    jobs = app.get(JobClient);
  });

  afterAll(() => app.close());

  async function resultOf(id: string): Promise<unknown> {
    const end = Date.now() + 10_000;
    while ((await jobs.get(id))?.status === 'PENDING' && Date.now() < end) await new Promise(setImmediate);
    return (await jobs.get(id))?.result;
  }

  it('runs a handler', async () => {
    const { id } = await jobs.enqueue('greet', { name: 'Ada' });
    expect(await resultOf(id)).toBe('Hello Ada');
  });

  it('runs a request-scoped handler with its job', async () => {
    const { id } = await jobs.enqueue('whoami');
    expect(await resultOf(id)).toBe(id);
  });

  it('commits and rolls back with the transaction', async () => {
    const dataSource = app.get<DataSource>(getDataSourceToken());
    const undone = dataSource.transaction(async (manager) => {
      await jobs.enqueue('greet', { name: 'nobody' }, { id: 'undone-11', manager });
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await jobs.get('undone-11')).toBeNull();
    const { id } = await dataSource.transaction((manager) =>
      jobs.enqueue('greet', { name: 'Bo' }, { manager }),
    );
    expect(await resultOf(id)).toBe('Hello Bo');
  });
});

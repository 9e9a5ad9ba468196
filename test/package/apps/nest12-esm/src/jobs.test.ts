import 'reflect-metadata';
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Injectable,
  Module,
  ParseIntPipe,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import {
  JobClient,
  JobCtx,
  JobExecutionContext,
  JobHandler,
  JobPayload,
  JobsModule,
  type Job,
  type JobContext,
} from 'nestjs-typeorm-jobs';
import type { DataSource } from 'typeorm';

@Injectable()
class NoStrangers implements CanActivate {
  canActivate(ctx: ExecutionContext): boolean {
    return JobExecutionContext.from(ctx).job.id !== 'stranger';
  }
}

@Injectable()
class Greetings {
  @JobHandler('greet')
  greet(job: Job<{ name: string }>, { attempt }: JobContext): string {
    return `Hello ${job.payload.name}, attempt ${attempt}`;
  }

  @UseGuards(NoStrangers)
  @JobHandler('welcome', { transactional: true })
  async welcome(
    @JobPayload(ParseIntPipe) guests: number,
    @JobCtx() { manager }: JobContext,
  ): Promise<number> {
    await manager.query('SELECT 1');
    return guests + 1;
  }
}

for (const [type, url] of [
  ['postgres', process.env.POSTGRES_URL],
  ['mysql', process.env.MARIADB_URL],
] as const) {
  test(`runs jobs on ${type}`, async () => {
    @Module({ imports: [TypeOrmModule.forRoot({ type, url }), JobsModule.forRoot()], providers: [Greetings] })
    class AppModule {}

    const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
    try {
      const jobs = app.get(JobClient);
      const dataSource = app.get<DataSource>(getDataSourceToken());
      const undone = dataSource.transaction(async (manager) => {
        await jobs.enqueue('greet', { name: 'nobody' }, { id: 'undone', manager });
        throw new Error('undo');
      });
      await assert.rejects(undone, /undo/);
      const { id } = await dataSource.transaction((manager) =>
        jobs.enqueue('greet', { name: 'Ada' }, { manager }),
      );
      const end = Date.now() + 10_000;
      while ((await jobs.get(id))?.status === 'PENDING' && Date.now() < end) await sleep(10);
      const job = await jobs.get<{ name: string }, string>(id);
      assert.equal(job?.status, 'DONE');
      assert.equal(job.result, 'Hello Ada, attempt 1');
      assert.equal(await jobs.get('undone'), null);

      await jobs.enqueue('welcome', '41', { id: 'guest' });
      await jobs.enqueue('welcome', '41', { id: 'stranger' });
      for (const one of ['guest', 'stranger'])
        while ((await jobs.get(one))?.status === 'PENDING' && Date.now() < end) await sleep(10);
      assert.equal((await jobs.get('guest'))?.result, 42);
      assert.match((await jobs.get('stranger'))?.lastError ?? '', /ForbiddenException/);
    } finally {
      await app.close();
    }
  });
}

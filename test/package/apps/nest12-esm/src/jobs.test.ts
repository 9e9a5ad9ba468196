import 'reflect-metadata';
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { JobClient, JobHandler, JobsModule, type Job, type JobContext } from 'nestjs-typeorm-jobs';
import type { DataSource } from 'typeorm';

@Injectable()
class Greetings {
  @JobHandler('greet')
  greet(job: Job<{ name: string }>, { attempt }: JobContext): string {
    return `Hello ${job.payload.name}, attempt ${attempt}`;
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
    } finally {
      await app.close();
    }
  });
}

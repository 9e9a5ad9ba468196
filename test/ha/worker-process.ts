import 'reflect-metadata';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  getJobQueueToken,
  JobHandler,
  JobsModule,
  type ClaimedJob,
  type JobContext,
} from 'nestjs-typeorm-jobs';
import type { DataSourceOptions } from 'typeorm';
import { observeQueue } from './observe-queue.js';
import { ANSWER_MS, LEASE_MS, record, settings } from './process.js';
import { now } from './records.js';

/* An application with a worker, on the built package. Each result names the lease token of its attempt. */
const worker = settings.name;

@Injectable()
class Handlers {
  @JobHandler(settings.kind)
  async work({ id }: ClaimedJob, { leaseToken: token }: JobContext) {
    record({ type: 'start', id, token, worker, at: now() });
    if (settings.handlerMs > 0) await sleep(settings.handlerMs);
    return { token };
  }
}

const ELSEWHERE = 'elsewhere';

/** For a worker whose outcomes another server is to write. */
function queueOn(database: DataSourceOptions) {
  return [
    TypeOrmModule.forRoot({ ...database, name: ELSEWHERE, retryAttempts: 0 }),
    JobsModule.forRoot({ name: ELSEWHERE, dataSource: ELSEWHERE, tablePrefix: 'nest_', worker: false }),
  ];
}

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...settings.database, retryAttempts: 0 }),
    JobsModule.forRoot({
      databaseTimeoutMs: ANSWER_MS,
      ...settings.jobs,
      worker: { concurrency: settings.concurrency, leaseMs: LEASE_MS, shutdownTimeoutMs: 5_000 },
    }),
    ...(settings.settlesOn === undefined ? [] : queueOn(settings.settlesOn)),
  ],
  providers: [Handlers],
})
class WorkerModule {}

observeQueue(settings.settlesOn && (() => app.get(getJobQueueToken(ELSEWHERE))));
process.on('disconnect', () => process.exit(0));
const app = await NestFactory.createApplicationContext(WorkerModule, {
  logger: ['warn', 'error'],
  abortOnError: false,
});
process.on('message', () => {
  void app.close().then(() => process.exit(0));
});
process.send!('ready');

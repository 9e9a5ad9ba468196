import 'reflect-metadata';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobClient, JobsModule } from 'nestjs-typeorm-jobs';
import { ANSWER_MS, record, settings } from './process.js';
import { now } from './records.js';

/* An application that only enqueues. It records what it is about to enqueue before each call, and the answer after it. */
const { name, kind, perSecond } = settings;
const MOST_AT_ONCE = 300;
const MOST_IN_A_CALL = 500;

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...settings.database, retryAttempts: 0 }),
    JobsModule.forRoot({
      databaseTimeoutMs: ANSWER_MS,
      ...settings.jobs,
      worker: false,
      unknownKinds: 'allow',
    }),
  ],
})
class EnqueuerModule {}

let sent = 0;
let isStopping = false;
const calls = new Set<Promise<void>>();

process.on('disconnect', () => process.exit(0));
process.on('message', () => (isStopping = true));
const app = await NestFactory.createApplicationContext(EnqueuerModule, {
  logger: ['warn', 'error'],
  abortOnError: false,
});
const client = app.get(JobClient);
for (let left = settings.backlog; left > 0; left -= MOST_IN_A_CALL)
  await enqueue(Math.min(left, MOST_IN_A_CALL));
process.send!('ready');
await enqueueSteadily();
await Promise.all(calls);
await app.close();
process.exit(0);

async function enqueueSteadily(): Promise<void> {
  const since = performance.now();
  let steady = 0;
  while (!isStopping) {
    const due = Math.floor(((performance.now() - since) / 1000) * perSecond);
    for (; steady < due; steady += 1) {
      if (calls.size >= MOST_AT_ONCE) continue; // the database is away, and its callers are not without number either
      const call: Promise<void> = enqueue(1).finally(() => calls.delete(call));
      calls.add(call);
    }
    await sleep(5);
  }
}

/** Enqueues in one call, and records what it was told. Never rejects. */
async function enqueue(count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => `${name}-${sent++}`);
  record(...ids.map((id) => ({ type: 'send', id, at: now() })));
  try {
    await client.enqueueMany(ids.map((id) => ({ id, kind, payload: {} })));
  } catch (error) {
    record(...ids.map((id) => ({ type: 'answer', id, how: 'refused', error: String(error), at: now() })));
    return;
  }
  record(...ids.map((id) => ({ type: 'answer', id, how: 'ok', at: now() })));
  if (settings.readsBack) await Promise.all(ids.map(readBack));
}

async function readBack(id: string): Promise<void> {
  try {
    record({ type: 'read', id, isThere: (await client.get(id)) !== null, at: now() });
  } catch (error) {
    record({ type: 'read failed', id, error: String(error), at: now() });
  }
}

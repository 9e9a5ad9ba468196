import 'reflect-metadata';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DuplicateJobError, InvalidJobError, JobClient, JobsModule, type NewJob } from 'nestjs-typeorm-jobs';
import { DataSource } from 'typeorm';
import { HOSTILE, KINDS, planJob } from './behaviors.js';
import { isDuplicate, literal, now, record, setClockWrong, settings, startUntilUp } from './process.js';
import { Random } from './random.js';
import type { AnswerRecord, SendRecord } from './records.js';

/*
 * An application that only enqueues. It records what it is about to enqueue before each call, and the answer after it.
 * If there was no answer, it sometimes repeats the call with the same ids, as a careful caller would.
 */
const { name, generation, quota } = settings;
const random = new Random(`${settings.seed} ${name} ${generation}`);
const SHAPES = { one: 45, many: 38, transaction: 14, 'rolled back': 3 } as const;
const CALLS_AT_ONCE = 3;
const STRANGE_ENDS = ['', "'", '"', '\\', '💥', ' é', '%s'];

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...settings.database, retryAttempts: 0 }),
    JobsModule.forRoot({
      worker: false,
      unknownKinds: 'allow',
      databaseTimeoutMs: settings.databaseTimeoutMs,
    }),
  ],
})
class EnqueuerModule {}

class Undone extends Error {}

/** How many jobs have been planned. */
let planned = settings.sent;
let calls = 0;
let isStopping = false;

setClockWrong(settings.clockOffsetMs);
process.on('disconnect', () => process.exit(0));
process.on('message', () => (isStopping = true));
const app = await startUntilUp(() =>
  NestFactory.createApplicationContext(EnqueuerModule, { logger: ['warn', 'error'], abortOnError: false }),
);
const client = app.get(JobClient);
const dataSource = app.get(DataSource);
process.send!('ready');
const since = performance.now();
await Promise.all(Array.from({ length: CALLS_AT_ONCE }, enqueueAll));
process.send!('done');
while (!isStopping) await sleep(50);
await app.close();
process.exit(0);

async function enqueueAll(): Promise<void> {
  while (planned < quota && !isStopping) {
    const shape = random.weighted(SHAPES);
    const size = shape === 'many' ? random.int(2, 50) : 1;
    const jobs = Array.from({ length: Math.min(size, quota - planned) }, planNext);
    await enqueue({ shape, jobs });
    const aheadMs = ((planned - settings.sent) / settings.perSecond) * 1000 - (performance.now() - since);
    if (aheadMs > 0) await sleep(Math.min(aheadMs, 2_000));
  }
}

function planNext() {
  const n = planned++;
  const end = random.chance(0.05) ? random.pick(STRANGE_ENDS) : '';
  return { id: `${name}.${generation}-${n}${end}`, plan: planJob(random, n, quota) };
}

async function enqueue(call: Pick<SendRecord, 'shape' | 'jobs' | 'again'>): Promise<void> {
  const key = `${name}.${generation}-${calls++}`;
  record({ type: 'send', call: key, at: now(), ...call } satisfies SendRecord);
  const answer = await send(call);
  record({ type: 'answer', call: key, at: now(), ...answer } satisfies AnswerRecord);
  if (answer.how === 'unknown' && !isStopping && random.chance(0.5)) await enqueue({ ...call, again: key });
}

async function send({
  shape,
  jobs,
}: Pick<SendRecord, 'shape' | 'jobs'>): Promise<Pick<AnswerRecord, 'how' | 'error'>> {
  let isBeforeCommit = false;
  try {
    if (shape === 'one' || shape === 'many') {
      await client.enqueueMany(jobs.map(asNewJob));
    } else {
      isBeforeCommit = true;
      await dataSource.transaction(async (manager) => {
        for (const { id } of jobs)
          await manager.query(`INSERT INTO chaos_business (id) VALUES (${literal(id)})`);
        await client.enqueueMany(jobs.map(asNewJob), { manager });
        if (shape === 'rolled back') throw new Undone();
        isBeforeCommit = false;
      });
    }
    return { how: 'ok' };
  } catch (error) {
    if (error instanceof DuplicateJobError || isDuplicate(error)) return { how: 'duplicate' };
    const isFailed = isBeforeCommit || error instanceof InvalidJobError;
    return { how: isFailed ? 'failed' : 'unknown', error: String(error) };
  }
}

function asNewJob({ id, plan }: SendRecord['jobs'][number]): NewJob {
  const value = HOSTILE[plan.trick as keyof typeof HOSTILE];
  const { delayMs, priority } = plan;
  return { id, kind: KINDS[plan.kind], payload: { plan, value }, delayMs, priority };
}

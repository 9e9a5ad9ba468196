import 'reflect-metadata';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  DuplicateJobError,
  InvalidJobError,
  JobClient,
  JobSchedules,
  JobsModule,
  type EnqueuedJob,
  type NewJob,
} from 'nestjs-typeorm-jobs';
import { DataSource } from 'typeorm';
import { KINDS, payloadOf, planJob } from './behaviors.js';
import { Controls } from './controls.js';
import { now } from './clock.js';
import { isDuplicate, literal, record, setClockWrong, settings, startUntilUp } from './process.js';
import { Random } from './random.js';
import type { AnswerRecord, SendRecord } from './records.js';
import { runTimeSchedule, specOf } from './schedules.js';
import { planUniqueJob } from './unique-keys.js';

/*
 * An application that only enqueues, and makes a schedule when it starts. It records what it is about to enqueue before each call, and the answer after it.
 * If there was no answer, it sometimes repeats the call with the same ids, as a careful caller would.
 */
const { name, generation, quota } = settings;
const random = new Random(`${settings.seed} ${name} ${generation}`);
const SHAPES = { one: 45, many: 36, transaction: 14, 'rolled back': 5 } as const;
/** The share of jobs with a unique key. */
const UNIQUE_SHARES = { one: 0.35, many: 0.05, transaction: 0.6, 'rolled back': 0.6 } as const;
/** How long a transaction stays open at most after it has enqueued a unique job. */
const MAX_OPEN_MS = 200;
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
const controls = new Controls(
  client,
  new Random(`controls ${settings.seed} ${name} ${generation}`),
  `${name}.${generation}`,
);
const schedule = runTimeSchedule(name);
await startUntilUp(() => app.get(JobSchedules).upsert(schedule.name, specOf(schedule)));
process.send!('ready');
const since = performance.now();
await Promise.all(Array.from({ length: CALLS_AT_ONCE }, enqueueAll));
await controls.settled();
process.send!('done');
while (!isStopping) await sleep(50);
await app.close();
process.exit(0);

async function enqueueAll(): Promise<void> {
  while (planned < quota && !isStopping) {
    const shape = random.weighted(SHAPES);
    const size = shape === 'many' ? random.int(2, 50) : 1;
    const jobs = Array.from({ length: Math.min(size, quota - planned) }, () => planNext(shape));
    await enqueue({ shape, jobs });
    const aheadMs = ((planned - settings.sent) / settings.perSecond) * 1000 - (performance.now() - since);
    if (aheadMs > 0) await sleep(Math.min(aheadMs, 2_000));
  }
}

function planNext(shape: SendRecord['shape']) {
  const n = planned++;
  const end = random.chance(0.05) ? random.pick(STRANGE_ENDS) : '';
  const plan = random.chance(UNIQUE_SHARES[shape]) ? planUniqueJob(random) : planJob(random, n, quota);
  return { id: `${name}.${generation}-${n}${end}`, plan };
}

async function enqueue(call: Pick<SendRecord, 'shape' | 'jobs' | 'again'>): Promise<void> {
  const key = `${name}.${generation}-${calls++}`;
  record({ type: 'send', call: key, at: now(), ...call } satisfies SendRecord);
  const answer = await send(key, call);
  record({ type: 'answer', call: key, at: now(), ...answer } satisfies AnswerRecord);
  if (answer.how === 'ok') controls.draw(thereAfter(call.jobs, answer.jobs));
  if (answer.how === 'unknown' && !isStopping && random.chance(0.5)) await enqueue({ ...call, again: key });
}

async function send(
  call: string,
  { shape, jobs }: Pick<SendRecord, 'shape' | 'jobs'>,
): Promise<Omit<AnswerRecord, 'type' | 'call' | 'at'>> {
  const newJobs = jobs.map((job) => asNewJob(call, job));
  const isUnique = jobs.some(({ plan }) => plan.unique !== undefined);
  let isBeforeCommit = false;
  try {
    if (shape === 'one' || shape === 'many') {
      const made = await client.enqueueMany(newJobs);
      return { how: 'ok', ...(isUnique && { jobs: made.map(asAnswer) }) };
    }
    isBeforeCommit = true;
    return await dataSource.transaction(async (manager) => {
      for (const { id } of jobs)
        await manager.query(`INSERT INTO chaos_business (id) VALUES (${literal(id)})`);
      const made = await client.enqueueMany(newJobs, { manager });
      if (isUnique) await sleep(random.int(0, MAX_OPEN_MS));
      if (shape === 'rolled back') throw new Undone();
      isBeforeCommit = false;
      return { how: 'ok' as const, ...(isUnique && { jobs: made.map(asAnswer), committingAt: now() }) };
    });
  } catch (error) {
    if (error instanceof DuplicateJobError || isDuplicate(error)) return { how: 'duplicate' };
    const isFailed = isBeforeCommit || error instanceof InvalidJobError;
    return { how: isFailed ? 'failed' : 'unknown', error: String(error) };
  }
}

function asNewJob(call: string, { id, plan }: SendRecord['jobs'][number]): NewJob {
  const { delayMs, priority, unique } = plan;
  const payload = payloadOf(plan, unique && { call });
  return { id, kind: KINDS[plan.kind], payload, delayMs, priority, unique };
}

function asAnswer({ id, enqueued }: EnqueuedJob) {
  return { id, enqueued };
}

/** The jobs that an answer named. One that holds a key does what was sent, whoever made it. */
function thereAfter(jobs: SendRecord['jobs'], answered: AnswerRecord['jobs']): SendRecord['jobs'] {
  return jobs.map(({ id, plan }, index) => ({ id: answered?.[index]?.id ?? id, plan }));
}

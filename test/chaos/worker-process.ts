import 'reflect-metadata';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import {
  JobHandler,
  JobSchedule,
  JobsModule,
  PermanentError,
  RetryableError,
  type ClaimedJob,
  type JobContext,
} from 'nestjs-typeorm-jobs';
import type { DataSource } from 'typeorm';
import { HOSTILE, KINDS, TIMEOUT_MS, type JobPayload } from './behaviors.js';
import { observeQueue } from './observe-queue.js';
import { now } from './clock.js';
import { isDuplicate, literal, record, setClockWrong, settings, startUntilUp } from './process.js';
import { BEAT, CRAWL, specOf, type SchedulePlan } from './schedules.js';

/*
 * An application with a worker, on the built package. It records what its handlers do and what its worker asks of the
 * database. It lives until it is killed, is asked to stop, or one of its jobs ends it.
 */
const { pid } = process;
const LAG_LOOK_MS = 50;
const LAG_MS = 200;

/** Declares a schedule of the workload. */
function Scheduled(schedule: SchedulePlan) {
  const { everyMs, cron: _, ...options } = specOf(schedule);
  return JobSchedule({ everyMs: everyMs! }, { ...options, name: schedule.name });
}

@Injectable()
class Handlers {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @JobHandler(KINDS.fast)
  @Scheduled(BEAT)
  fast(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, async () => undefined);
  }

  @JobHandler(KINDS.slow)
  @Scheduled(CRAWL)
  slow(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, () => sleep(job.payload.plan.ms, undefined, { signal: context.signal }));
  }

  @JobHandler(KINDS.retrying)
  retrying(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, async () => {
      await sleep(job.payload.plan.ms);
      const failed = job.attemptsDone - job.crashes;
      if (failed < Number(job.payload.plan.failures))
        throw new RetryableError('later', { retryAfterMs: 150 });
    });
  }

  @JobHandler(KINDS.failing)
  failing(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, async () => {
      throw new PermanentError('never');
    });
  }

  @JobHandler(KINDS.ignoring, { timeoutMs: TIMEOUT_MS })
  ignoring(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, () => sleep(job.payload.plan.ms));
  }

  @JobHandler(KINDS.blocking)
  blocking(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, async () => {
      const end = performance.now() + job.payload.plan.ms;
      while (performance.now() < end);
    });
  }

  @JobHandler(KINDS.exiting)
  exiting(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, async () => {
      await sleep(job.payload.plan.ms);
      const { failures } = job.payload.plan;
      if (failures !== 'always' && job.crashes >= Number(failures)) return;
      record({ type: 'exit', id: job.id, token: context.leaseToken, pid, at: now() });
      process.exit(86);
    });
  }

  @JobHandler(KINDS.hostile)
  hostile(job: ClaimedJob<JobPayload>, context: JobContext<JobPayload>) {
    return this.run(job, context, async () => {
      const { plan, value } = job.payload;
      const known = HOSTILE[plan.trick as keyof typeof HOSTILE];
      if (known === undefined) return endBadly(plan.trick!);
      if (!isDeepStrictEqual(value, known)) throw new PermanentError('the payload is not what was enqueued');
      return value;
    });
  }

  /** What all handlers share: the records of start and end, the effect, and a result that names its attempt. */
  private async run(
    { id, payload }: ClaimedJob<JobPayload>,
    context: JobContext<JobPayload>,
    work: () => Promise<unknown>,
  ) {
    const token = context.leaseToken;
    const { call, change } = payload;
    record({ type: 'start', id, token, worker: context.workerId, call, change, pid, at: now() });
    let how = 'threw';
    try {
      if (payload.plan.effect) await this.leaveEffect(id, token, context.signal);
      const value = await work();
      how = 'returned';
      return payload.plan.silent ? undefined : { token, worker: context.workerId, value };
    } finally {
      record({ type: 'end', id, token, how, pid, at: now() });
    }
  }

  /** Retries until the row is written, because the suite tests the queue and not its own handlers. */
  private async leaveEffect(id: string, token: number, signal: AbortSignal): Promise<void> {
    const insert = `INSERT INTO chaos_effects (id, lease_token) VALUES (${literal(id)}, ${token})`;
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.dataSource.query(insert);
        return;
      } catch (error) {
        if (isDuplicate(error)) return; // an earlier try wrote it, but its answer was lost
        await sleep(100);
      }
    }
  }
}

function endBadly(trick: string): unknown {
  const error = new Error(`trick: ${trick}`);
  switch (trick) {
    case 'throw undefined':
      throw undefined;
    case 'throw text':
      throw 'x';
    case 'throw NUL':
      throw new Error('a\u0000b\ud800c');
    case 'throw cyclic cause':
      error.cause = error;
      throw error;
    case 'throw getter':
      throw Object.defineProperty(error, 'code', {
        get: () => {
          throw new Error('a getter');
        },
      });
    case 'return BigInt':
      return 1n;
    default:
      return circular();
  }
}

function circular(): unknown {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  return circle;
}

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...settings.database, retryAttempts: 0 }),
    JobsModule.forRoot({
      minRetryDelayMs: 100,
      maxCrashes: settings.maxCrashes,
      databaseTimeoutMs: settings.databaseTimeoutMs,
      worker: {
        concurrency: 10,
        pollIntervalMs: 200,
        leaseMs: settings.leaseMs,
        shutdownTimeoutMs: 5_000,
        kinds: settings.kinds,
      },
    }),
  ],
  providers: [Handlers],
})
class WorkerModule {}

/** Records when the event loop was blocked, so that no heartbeat could be sent. */
function watchLag(): void {
  let last = performance.now();
  setInterval(() => {
    const ms = performance.now() - last - LAG_LOOK_MS;
    last = performance.now();
    if (ms > LAG_MS) record({ type: 'lag', ms, pid, at: now() });
  }, LAG_LOOK_MS).unref();
}

function watchSize(): void {
  setInterval(() => {
    const { heapUsed, rss } = process.memoryUsage();
    const sockets = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    record({ type: 'sample', sockets, heapMb: heapUsed / 2 ** 20, rssMb: rss / 2 ** 20, pid, at: now() });
  }, 1_000).unref();
}

setClockWrong(settings.clockOffsetMs);
watchLag();
watchSize();
observeQueue();
process.on('disconnect', () => process.exit(0));
const app = await startUntilUp(() =>
  NestFactory.createApplicationContext(WorkerModule, { logger: ['warn', 'error'], abortOnError: false }),
);
process.on('message', () => {
  void app.close().then(() => process.exit(0));
});
process.send!('ready');

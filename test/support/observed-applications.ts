import 'reflect-metadata';
import { afterEach, describe } from '@jest/globals';
import { Injectable, type DynamicModule, type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { trace } from '@opentelemetry/api';
import {
  CancelJobError,
  JobClient,
  JobHandler,
  JobQueue,
  JobsModule,
  MemoryJobQueue,
  PermanentError,
  type Job,
  type JobContext,
  type JobsEvents,
  type JobsModuleOptions,
  type TypeOrmJobQueueSettings,
} from '../../lib/index.js';
import { TestApplications } from './applications.js';
import { describeOn, oneOfEach } from './databases.js';
import { MemoryLogger } from './memory-logger.js';

class NoSuchUserError extends Error {}

/** What handlers have seen since the test began. */
export const seen: { readonly carried?: unknown; readonly traceId?: string }[] = [];

/** Ends as its payload says. */
@Injectable()
export class Mails {
  constructor(private readonly jobs: JobClient) {}

  @JobHandler('mail', { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 1 } })
  async send({ payload, carried }: Job<string>, { attempt, snooze }: JobContext): Promise<void> {
    seen.push({ carried, traceId: trace.getActiveSpan()?.spanContext().traceId });
    await Promise.resolve();
    trace.getTracer('user').startSpan('smtp').end();
    if (payload === 'again' && attempt === 1) throw new NoSuchUserError('not yet');
    if (payload === 'permanent') throw new PermanentError('never');
    if (payload === 'panic') (undefined as unknown as Mails).jobs.valueOf();
    if (payload === 'cancel') throw new CancelJobError('unsubscribed');
    if (payload === 'snooze' && seen.length === 1) snooze(0);
    if (payload === 'more') await this.jobs.enqueue('mail', 'next');
  }
}

/** Runs until it is told to stop. */
@Injectable()
export class Slow {
  @JobHandler('slow')
  async wait(_job: Job, { signal }: JobContext): Promise<void> {
    seen.push({});
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw signal.reason;
  }
}

/** Nothing waits for anything longer than it must. */
export const QUICK: JobsModuleOptions = {
  minRetryDelayMs: 0,
  worker: { pollIntervalMs: 100, shutdownTimeoutMs: 0 },
};

export interface ObservedApplication {
  /** The modules that look on. Default: none. */
  readonly imports?: readonly DynamicModule[];
  readonly options?: JobsModuleOptions;
  /** Default: `Mails` and `Slow`. */
  readonly providers?: Type[];
}

/** Starts an application with a `JobsModule`. */
export type Start = (application?: ObservedApplication) => Promise<INestApplicationContext>;

/**
 * A `describe` on a queue in memory, and one on each database.
 * @param onDatabase further tests, which need one
 */
export function describeObserved(
  title: string,
  tests: (start: Start) => void,
  onDatabase: (start: Start) => void = () => undefined,
): void {
  afterEach(() => void (seen.length = 0));
  describe(`${title} of a queue in memory`, () => tests(startInMemory()));
  describeOn(oneOfEach, `${title} on $name`, (server) => {
    const applications = TestApplications.on(server);
    const start: Start = ({ imports = [], options, providers = [Mails, Slow] } = {}) =>
      applications.start({ imports: [applications.typeOrm(), jobsModule(options), ...imports], providers });
    tests(start);
    onDatabase(start);
  });
}

function startInMemory(): Start {
  let app: INestApplicationContext | undefined;
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });
  return async ({ imports = [], options, providers = [Mails, Slow] } = {}) => {
    const queue = ({ queue }: { queue: TypeOrmJobQueueSettings }) => new MemoryJobQueue(queue);
    const module = await Test.createTestingModule({ imports: [jobsModule(options), ...imports], providers })
      .overrideProvider(JobQueue)
      .useFactory({ factory: queue as never, inject: ['nestjs-typeorm-jobs:options:default'] })
      .compile();
    app = module;
    return module.init();
  };
}

function jobsModule(options: JobsModuleOptions = {}): DynamicModule {
  return JobsModule.forRoot({ ...QUICK, logger: new MemoryLogger(), ...options });
}

/** The events that the module of an application tells. */
export function eventsOf(app: INestApplicationContext): JobsEvents {
  return app.get<JobsEvents>('nestjs-typeorm-jobs:events:default');
}

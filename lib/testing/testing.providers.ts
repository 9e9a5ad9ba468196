import type { FactoryProvider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { HandlerRegistry } from '../execution/handler-registry.js';
import {
  getJobQueueToken,
  getJobSchedulesToken,
  getWorkerToken,
  internalToken,
} from '../nest/jobs.tokens.js';
import type { JobsExplorer } from '../nest/jobs.explorer.js';
import type { ResolvedOptions } from '../nest/jobs.options.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { JobSchedules } from '../client/job-schedules.js';
import type { ScheduleRegistry } from '../schedules/schedule-registry.js';
import type { TickJobs } from '../schedules/tick-jobs.js';
import { JobsTester } from './jobs-tester.js';
import { TestJobQueue } from './test-job-queue.js';

/** An application, or the module of a test. */
export interface JobsApplication {
  // Nest's own signature has overloads; only this one fits them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  get(token: any): any;
}

/**
 * The queue in memory, which replaces the one in the database. Where the application has a DataSource, transactions of
 * the client and of handlers are opened on it.
 */
export function testQueueProvider(name: string, dataSource?: string): FactoryProvider {
  return {
    provide: getJobQueueToken(name),
    inject: [
      internalToken('options', name),
      { token: getDataSourceToken(dataSource) as never, optional: true },
    ],
    useFactory: ({ queue }: ResolvedOptions, found?: DataSource) =>
      new TestJobQueue(found === undefined ? queue : { ...queue, dataSource: found }),
  };
}

/** The tester, which replaces the worker. */
export function testerProvider(name: string): FactoryProvider {
  return { provide: getWorkerToken(name), inject: testerTokens(name), useFactory: createTester };
}

/** A tester for an application that has a worker. */
export function testerFor(app: JobsApplication, name: string): JobsTester {
  const parts = testerTokens(name).map((token) => app.get(token) as unknown);
  return createTester(...(parts as Parameters<typeof createTester>));
}

function testerTokens(name: string) {
  const names = ['handlers', 'explorer', 'options', 'declared', 'tick-jobs'] as const;
  const parts = names.map((part) => internalToken(part, name));
  return [getJobQueueToken(name), getJobSchedulesToken(name), ...parts];
}

function createTester(
  queue: JobQueue,
  client: JobSchedules,
  handlers: HandlerRegistry,
  explorer: JobsExplorer,
  { worker: settings, events }: ResolvedOptions,
  registry: ScheduleRegistry,
  tickJobs: TickJobs,
): JobsTester {
  const explore = () => explorer.explore();
  const schedules = { registry, tickJobs, client };
  return new JobsTester({ queue, handlers, settings, events, explore, schedules });
}

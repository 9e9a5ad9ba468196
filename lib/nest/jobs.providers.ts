import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, MetadataScanner, ModuleRef } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { Startable } from '../async/loop.js';
import type { JobEvents } from '../client/job-events.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { HandlerRegistry } from '../execution/handler-registry.js';
import { InvalidOptionError } from '../job/errors.js';
import { ChoreLoop } from '../maintenance/chore-loop.js';
import { ChorePace } from '../maintenance/chore-pace.js';
import { PruneAudit } from '../maintenance/prune-audit.js';
import { PruneEvents } from '../maintenance/prune-events.js';
import { PruneSettled } from '../maintenance/prune-settled.js';
import { SweepKeys } from '../maintenance/sweep-keys.js';
import { EventWriter } from '../outbox/event-writer.js';
import { SweepRegister } from '../maintenance/sweep-register.js';
import type { JobQueue } from '../queue/job-queue.js';
import { ScheduleRegistry } from '../schedules/schedule-registry.js';
import { Scheduler } from '../schedules/scheduler.js';
import { TickJobs } from '../schedules/tick-jobs.js';
import { TypeOrmJobQueue } from '../storage/typeorm/typeorm-job-queue.js';
import { Worker } from '../worker/worker.js';
import { clientsOf } from './client.providers.js';
import { EventListeners } from './event-listeners.js';
import { JobsExplorer } from './jobs.explorer.js';
import type { ResolvedOptions } from './jobs.options.js';
import { JobsRunner, type Lifetime } from './jobs.runner.js';
import { getJobEventsToken, getJobQueueToken, getWorkerToken, internalToken } from './jobs.tokens.js';
import { UnjoinedTransactions } from './unjoined-transactions.js';

/** The parts of the module with this name. Its options are provided apart. */
export function partsOf(name: string, dataSource?: string): FactoryProvider[] {
  const options = internalToken('options', name);
  const handlers = internalToken('handlers', name);
  const declared = internalToken('declared', name);
  const tickJobs = internalToken('tick-jobs', name);
  const explorer = internalToken('explorer', name);
  const runner = internalToken('runner', name);
  const unjoined = internalToken('unjoined', name);
  const lifetime = internalToken('lifetime', name);
  const listeners = internalToken('listeners', name);
  const jobEvents = getJobEventsToken(name);
  const optional = { token: getDataSourceToken(dataSource) as InjectionToken, optional: true };
  const worker = getWorkerToken(name);
  const queue = getJobQueueToken(name);
  const discovery = [DiscoveryService, MetadataScanner, ExternalContextCreator];
  return [
    ...clientsOf(name),
    { provide: internalToken('events', name), inject: [options], useFactory: eventsOf },
    { provide: lifetime, useFactory: (): Lifetime => ({ isOver: false }) },
    { provide: handlers, useFactory: () => new HandlerRegistry() },
    { provide: declared, useFactory: () => new ScheduleRegistry() },
    { provide: tickJobs, inject: [handlers, options], useFactory: createTickJobs },
    { provide: queue, inject: [getDataSourceToken(dataSource), options], useFactory: createQueue },
    {
      provide: explorer,
      inject: [...discovery, handlers, options, declared, listeners, ModuleRef],
      useFactory: createExplorer,
    },
    { provide: unjoined, inject: [optional, DiscoveryService, options], useFactory: createUnjoined },
    { provide: worker, inject: [queue, handlers, options, declared, tickJobs], useFactory: createWorker },
    { provide: listeners, inject: [DiscoveryService, options], useFactory: createListeners },
    {
      provide: runner,
      inject: [explorer, worker, queue, options, lifetime, listeners, jobEvents],
      useFactory: createRunner,
    },
  ];
}

function eventsOf({ events }: ResolvedOptions): JobsEvents {
  return events;
}

/** The table is there when this resolves, so that every provider may enqueue from its own `onModuleInit` on. */
async function createQueue(dataSource: DataSource, { queue }: ResolvedOptions): Promise<TypeOrmJobQueue> {
  if (queue.databaseAtStart !== 'optional' && !dataSource.isInitialized) {
    const allowed =
      `'optional' beside a DataSource that is not initialized, as with manualInitialization: the module then initializes it. ` +
      'Otherwise initialize the DataSource before this module starts';
    throw new InvalidOptionError('databaseAtStart', queue.databaseAtStart, allowed);
  }
  return new TypeOrmJobQueue(dataSource, queue).open();
}

function createExplorer(...parts: ConstructorParameters<typeof JobsExplorer>): JobsExplorer {
  return new JobsExplorer(...parts);
}

function createTickJobs(handlers: HandlerRegistry, { maxPayloadBytes }: ResolvedOptions): TickJobs {
  return new TickJobs({ maxPayloadBytes, definitionOf: (kind) => handlers.get(kind)?.definition });
}

/** Null where the jobs of a test are in no database. */
function createUnjoined(
  dataSource: DataSource | undefined,
  discovery: DiscoveryService,
  { events }: ResolvedOptions,
): UnjoinedTransactions | null {
  return dataSource === undefined ? null : new UnjoinedTransactions(dataSource, discovery, events);
}

function createWorker(
  queue: JobQueue,
  handlers: HandlerRegistry,
  { worker: settings, events }: ResolvedOptions,
  declared: ScheduleRegistry,
  tickJobs: TickJobs,
): Worker {
  const { workerId } = settings;
  const servedKinds = (): readonly string[] => worker.kinds;
  const pace = new ChorePace((): boolean => worker.isBehind);
  const scheduler = new Scheduler(queue, declared, tickJobs, { workerId, servedKinds }, events);
  const worker: Worker = new Worker(queue, handlers, settings, events, [
    scheduler,
    choreLoop(queue, settings, pace, events),
  ]);
  return worker;
}

/** What one worker of the cluster does at a time. */
function choreLoop(
  queue: JobQueue,
  { workerId, retention }: ResolvedOptions['worker'],
  pace: ChorePace,
  events: JobsEvents,
): ChoreLoop {
  const prune = retention.keepsAll ? [] : [new PruneSettled(queue.retention, retention, pace, events)];
  const chores = [
    ...prune,
    new SweepKeys(queue.uniqueJobs, pace),
    new SweepRegister(queue.kinds, pace),
    new PruneEvents(queue.eventStore, pace),
    new PruneAudit(queue.audit, pace),
  ];
  return new ChoreLoop(chores, queue.chores, workerId, events);
}

function createRunner(
  explorer: JobsExplorer,
  worker: Worker,
  queue: JobQueue,
  { runsWorker, events }: ResolvedOptions,
  lifetime: Lifetime,
  listeners: EventListeners,
  jobEvents: JobEvents,
): JobsRunner {
  const servesHandlers = runsWorker && worker instanceof Worker;
  const part = runsWorker ? worker : noWorker(events);
  listeners.source = jobEvents;
  const subscriptions: Startable = { start: () => undefined, stop: () => jobEvents.close() };
  const tellers = [listeners, new EventWriter(queue.eventStore, events), subscriptions];
  return new JobsRunner(explorer, [part], queue, events, { servesHandlers, lifetime, tellers });
}

function createListeners(discovery: DiscoveryService, { events, name }: ResolvedOptions): EventListeners {
  return new EventListeners(discovery, events, name);
}

/** Only says that there is none. */
function noWorker(events: JobsEvents): Startable {
  return { start: () => events.emit('workerDisabled', {}), stop: () => Promise.resolve() };
}

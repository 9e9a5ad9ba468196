import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, MetadataScanner, ModuleRef } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { Startable } from '../async/loop.js';
import { JobClient } from '../client/job-client.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { HandlerRegistry } from '../execution/handler-registry.js';
import { UnknownKindError } from '../job/errors.js';
import type { JobQueue } from '../queue/job-queue.js';
import { TypeOrmJobQueue } from '../storage/typeorm/typeorm-job-queue.js';
import { Worker } from '../worker/worker.js';
import { decoratedFor, nameOfDecorated } from './decorated-handlers.js';
import { JobsExplorer } from './jobs.explorer.js';
import type { ResolvedOptions } from './jobs.options.js';
import { JobsRunner, type Lifetime } from './jobs.runner.js';
import { getJobClientToken, getJobQueueToken, getWorkerToken, internalToken } from './jobs.tokens.js';
import { UnjoinedTransactions } from './unjoined-transactions.js';

/** The parts of the module with this name. Its options are provided apart. */
export function partsOf(name: string, dataSource?: string): FactoryProvider[] {
  const options = internalToken('options', name);
  const handlers = internalToken('handlers', name);
  const explorer = internalToken('explorer', name);
  const runner = internalToken('runner', name);
  const unjoined = internalToken('unjoined', name);
  const lifetime = internalToken('lifetime', name);
  const optional = { token: getDataSourceToken(dataSource) as InjectionToken, optional: true };
  const client = getJobClientToken(name);
  const worker = getWorkerToken(name);
  const queue = getJobQueueToken(name);
  const discovery = [DiscoveryService, MetadataScanner, ExternalContextCreator];
  return [
    { provide: lifetime, useFactory: (): Lifetime => ({ isOver: false }) },
    { provide: handlers, useFactory: () => new HandlerRegistry() },
    { provide: queue, inject: [getDataSourceToken(dataSource), options], useFactory: createQueue },
    { provide: explorer, inject: [...discovery, handlers, options, ModuleRef], useFactory: createExplorer },
    {
      provide: client,
      inject: [queue, handlers, explorer, options, unjoined, lifetime],
      useFactory: createClient,
    },
    { provide: unjoined, inject: [optional, DiscoveryService, options], useFactory: createUnjoined },
    { provide: worker, inject: [queue, handlers, options], useFactory: createWorker },
    { provide: runner, inject: [explorer, worker, queue, options, lifetime], useFactory: createRunner },
  ];
}

/** The table is there when this resolves, so that every provider may enqueue from its own `onModuleInit` on. */
function createQueue(dataSource: DataSource, { queue }: ResolvedOptions): Promise<TypeOrmJobQueue> {
  return new TypeOrmJobQueue(dataSource, queue).open();
}

function createExplorer(...parts: ConstructorParameters<typeof JobsExplorer>): JobsExplorer {
  return new JobsExplorer(...parts);
}

function createClient(
  queue: JobQueue,
  handlers: HandlerRegistry,
  explorer: JobsExplorer,
  { unknownKinds, runsWorker, maxPayloadBytes, contextCarrier }: ResolvedOptions,
  unjoined: UnjoinedTransactions | null,
  lifetime: Lifetime,
): JobClient {
  const requireKind = (kind: string) => {
    if (unknownKinds === 'allow' || handlers.get(kind) !== undefined) return;
    explorer.explore(); // a provider may enqueue in its own onModuleInit, before ours
    const isProducerOnly = !runsWorker && handlers.kinds.length === 0;
    if (isProducerOnly || handlers.get(kind) !== undefined) return;
    throw new UnknownKindError(kind, handlers.kinds, adviceFor(kind));
  };
  const definitionOf = (kind: string) => handlers.get(kind)?.definition;
  const onUnjoined = unjoined === null ? undefined : () => unjoined.look();
  const isClosed = () => lifetime.isOver;
  const checks = { requireKind, definitionOf, isClosed };
  return new JobClient(queue, { maxPayloadBytes, contextCarrier, onUnjoined, ...checks });
}

/** Null where the jobs of a test are in no database. */
function createUnjoined(
  dataSource: DataSource | undefined,
  discovery: DiscoveryService,
  { events }: ResolvedOptions,
): UnjoinedTransactions | null {
  return dataSource === undefined ? null : new UnjoinedTransactions(dataSource, discovery, events);
}

/** What to do about a kind whose handler is decorated and not found. */
function adviceFor(kind: string): string | undefined {
  const [handler] = decoratedFor(kind);
  if (handler === undefined) return undefined;
  return (
    `${nameOfDecorated(handler)} has it, but this application does not serve it here: add the class to the providers of ` +
    `a module, import that module, and give "queue" the name of this JobsModule if it has one`
  );
}

function createWorker(
  queue: JobQueue,
  handlers: HandlerRegistry,
  { worker, events }: ResolvedOptions,
): Worker {
  return new Worker(queue, handlers, worker, events);
}

function createRunner(
  explorer: JobsExplorer,
  worker: Worker,
  queue: JobQueue,
  { runsWorker, events }: ResolvedOptions,
  lifetime: Lifetime,
): JobsRunner {
  const servesHandlers = runsWorker && worker instanceof Worker;
  const part = runsWorker ? worker : noWorker(events);
  return new JobsRunner(explorer, [part], queue, servesHandlers, lifetime);
}

/** Only says that there is none. */
function noWorker(events: JobsEvents): Startable {
  return { start: () => events.emit('workerDisabled', {}), stop: () => Promise.resolve() };
}

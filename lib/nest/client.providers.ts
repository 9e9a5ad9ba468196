import type { FactoryProvider } from '@nestjs/common';
import { JobClient } from '../client/job-client.js';
import { JobEvents } from '../client/job-events.js';
import { JobKinds } from '../client/job-kinds.js';
import { JobSchedules } from '../client/job-schedules.js';
import type { HandlerRegistry } from '../execution/handler-registry.js';
import { UnknownKindError } from '../job/errors.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { ScheduleRegistry } from '../schedules/schedule-registry.js';
import type { TickJobs } from '../schedules/tick-jobs.js';
import { decoratedFor } from './decorated-handlers.js';
import { nameOfDecorated } from './decorated-methods.js';
import type { JobsExplorer } from './jobs.explorer.js';
import type { ResolvedOptions } from './jobs.options.js';
import type { Lifetime } from './jobs.runner.js';
import {
  getJobClientToken,
  getJobEventsToken,
  getJobKindsToken,
  getJobQueueToken,
  getJobSchedulesToken,
  internalToken,
} from './jobs.tokens.js';
import type { UnjoinedTransactions } from './unjoined-transactions.js';

/** What users inject of the module with this name. */
export function clientsOf(name: string): FactoryProvider[] {
  const queue = getJobQueueToken(name);
  const options = internalToken('options', name);
  const handlers = internalToken('handlers', name);
  const explorer = internalToken('explorer', name);
  const declared = internalToken('declared', name);
  const tickJobs = internalToken('tick-jobs', name);
  const ofTransactions = [internalToken('unjoined', name), internalToken('lifetime', name)];
  return [
    {
      provide: getJobClientToken(name),
      inject: [queue, handlers, explorer, options, ...ofTransactions],
      useFactory: createClient,
    },
    {
      provide: getJobSchedulesToken(name),
      inject: [queue, handlers, explorer, options, declared, tickJobs, ...ofTransactions],
      useFactory: createSchedules,
    },
    { provide: getJobKindsToken(name), inject: [queue, ...ofTransactions], useFactory: createKinds },
    { provide: getJobEventsToken(name), inject: [queue, options], useFactory: createEvents },
  ];
}

function createClient(
  queue: JobQueue,
  handlers: HandlerRegistry,
  explorer: JobsExplorer,
  { unknownKinds, runsWorker, maxPayloadBytes, contextCarrier, events }: ResolvedOptions,
  unjoined: UnjoinedTransactions | null,
  lifetime: Lifetime,
): JobClient {
  const requireKind = kindCheck(handlers, explorer, { unknownKinds, runsWorker });
  const definitionOf = (kind: string) => handlers.get(kind)?.definition;
  const onUnjoined = unjoined === null ? undefined : () => unjoined.look();
  const isClosed = () => lifetime.isOver;
  const uniqueOf = (kind: string) => {
    explorer.explore(); // a provider may enqueue in its own onModuleInit, before ours
    return handlers.get(kind)?.options.unique;
  };
  const checks = { requireKind, definitionOf, uniqueOf, isClosed };
  return new JobClient(queue, { maxPayloadBytes, contextCarrier, onUnjoined, events, ...checks });
}

/** Refuses kinds that no handler of this process serves. */
function kindCheck(
  handlers: HandlerRegistry,
  explorer: JobsExplorer,
  { unknownKinds, runsWorker }: Pick<ResolvedOptions, 'unknownKinds' | 'runsWorker'>,
): (kind: string) => void {
  return (kind) => {
    if (unknownKinds === 'allow' || handlers.get(kind) !== undefined) return;
    explorer.explore(); // a provider may enqueue in its own onModuleInit, before ours
    const isProducerOnly = !runsWorker && handlers.kinds.length === 0;
    if (isProducerOnly || handlers.get(kind) !== undefined) return;
    throw new UnknownKindError(kind, handlers.kinds, adviceFor(kind));
  };
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

function createSchedules(
  queue: JobQueue,
  handlers: HandlerRegistry,
  explorer: JobsExplorer,
  options: ResolvedOptions,
  declared: ScheduleRegistry,
  tickJobs: TickJobs,
  unjoined: UnjoinedTransactions | null,
  lifetime: Lifetime,
): JobSchedules {
  return new JobSchedules(queue, declared, tickJobs, {
    requireKind: kindCheck(handlers, explorer, options),
    contextCarrier: options.contextCarrier,
    events: options.events,
    explore: () => explorer.explore(),
    onUnjoined: unjoined === null ? undefined : () => unjoined.look(),
    isClosed: () => lifetime.isOver,
  });
}

function createKinds(queue: JobQueue, unjoined: UnjoinedTransactions | null, lifetime: Lifetime): JobKinds {
  return new JobKinds(queue, {
    onUnjoined: unjoined === null ? undefined : () => unjoined.look(),
    isClosed: () => lifetime.isOver,
  });
}

function createEvents(queue: JobQueue, { events }: ResolvedOptions): JobEvents {
  return new JobEvents(events, queue.eventStore);
}

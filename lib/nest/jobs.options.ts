import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { JobsEvents } from '../events/jobs-events.js';
import { loggedEvents } from '../events/log-subscriber.js';
import type { DequeueSettings } from '../execution/dequeue.js';
import type { ContextCarrier } from '../job/context-carrier.js';
import { resolveByRules } from '../job/option-rules.js';
import { resolveRetention, type Retention } from '../job/retention.js';
import type { TypeOrmJobQueueSettings } from '../storage/typeorm/typeorm-job-queue.js';
import type { WorkerSettings } from '../worker/worker-session.js';
import type { ModuleEnhancerOptions } from './module-enhancers.js';
import { MODULE_RULES, type JobsModuleOptions } from './module-options.js';
import { WORKER_RULES, type WorkerOptions } from './worker-options.js';

/** `JobsModuleIdentity` with its defaults. */
export interface ResolvedIdentity {
  readonly name: string;
  readonly dataSource: string | undefined;
  readonly isGlobal: boolean;
}

/** The options as the parts of a module take them. */
export interface ResolvedOptions extends ResolvedIdentity {
  readonly queue: TypeOrmJobQueueSettings;
  readonly worker: WorkerSettings & WithRetention;
  /** False where this process only enqueues. */
  readonly runsWorker: boolean;
  readonly maxPayloadBytes: number;
  readonly unknownKinds: 'refuse' | 'allow';
  readonly contextCarrier?: ContextCarrier;
  readonly globalEnhancers: boolean;
  /** Those of all handlers. */
  readonly enhancers: ModuleEnhancerOptions;
  readonly events: JobsEvents;
}

interface WithRetention {
  readonly retention: Retention;
}

const OPTIONS_OF_WORKER = Object.keys(WORKER_RULES).map((name) => `worker.${name}`);

/**
 * Checks everything and fills in the defaults.
 * @throws InvalidOptionError naming the option, the value and what is allowed
 */
export function resolveOptions(options: JobsModuleOptions = {}): ResolvedOptions {
  const resolved = resolveByRules(options, MODULE_RULES, { elsewhere: OPTIONS_OF_WORKER });
  const worker = resolveWorker(resolved.worker === false ? {} : resolved.worker);
  const { minRetryDelayMs, maxCrashes, maxPayloadBytes, isPanic } = resolved;
  const { leaseMs, heartbeatMs } = worker;
  const retention = resolveRetention(resolved.retention);
  const events = loggedEvents(resolved.logger);
  const lease = { workerId: newWorkerId(), leaseMs, heartbeatMs };
  const { maxAttempts, backoff, timeoutMs, keepResult } = resolved.defaults ?? {};
  const shared: DequeueSettings & WithRetention = {
    ...{ maxAttempts, backoff, timeoutMs, keepResult },
    ...{ ...lease, minRetryDelayMs, maxCrashes, maxPayloadBytes, isPanic, retention, events },
  };
  const { name, tablePrefix, schema, migrate, databaseTimeoutMs } = resolved;
  const { databaseAtStart, preparedStatements, transactions, attempts } = resolved;
  const table = { name, tablePrefix, schema, migrate, attempts };
  const storage = { ...table, databaseTimeoutMs, databaseAtStart, preparedStatements, transactions };
  const { dataSource, isGlobal, unknownKinds, contextCarrier, globalEnhancers } = resolved;
  const { guards, interceptors, pipes, filters } = resolved;
  return Object.freeze({
    name,
    dataSource,
    isGlobal,
    queue: Object.freeze({ ...shared, ...storage }),
    worker: Object.freeze({ ...shared, ...worker }),
    runsWorker: resolved.worker !== false,
    maxPayloadBytes,
    unknownKinds,
    contextCarrier,
    globalEnhancers,
    enhancers: { guards, interceptors, pipes, filters },
    events,
  });
}

/** Kinds become as handlers have them: trimmed, and each once. */
function resolveWorker(options: WorkerOptions) {
  const resolved = resolveByRules(options, WORKER_RULES, { prefix: 'worker.' });
  const kinds = resolved.kinds?.map((kind) => kind.trim());
  return { ...resolved, kinds: kinds && [...new Set(kinds)] };
}

/** Tells one worker from every other, also where host name and process id are the same, as in containers. */
function newWorkerId(): string {
  return `${hostname().slice(0, 200)}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import type { DequeueSettings } from '../execution/dequeue.js';
import type { ContextCarrier } from '../job/context-carrier.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { loggedEvents } from '../events/log-subscriber.js';
import { InvalidOptionError } from '../job/errors.js';
import type { JobsLogger } from '../job/logger.js';
import { MAX_DELAY_MS } from '../job/retry.js';
import type { AmbientTransactions } from '../queue/transactions.js';
import { DEFAULT_NAME } from './jobs.tokens.js';
import {
  requireBoolean,
  requireFunction,
  requireInt,
  requireKnown,
  requireMethods,
  requireOneOf,
  requireText,
} from './jobs.option-checks.js';
import type { TypeOrmJobQueueSettings } from '../storage/typeorm/typeorm-job-queue.js';
import type { WorkerSettings } from '../worker/worker-session.js';

/** How a process works on jobs. */
export interface WorkerOptions {
  /** How many jobs this process runs at once. Default 10. */
  readonly concurrency?: number;
  /** How often to look for jobs that nobody told of, in milliseconds, at least 100. Default 1000. */
  readonly pollIntervalMs?: number;
  /** After how long without a heartbeat a worker counts as dead, in milliseconds, at least 1000. Default 30,000. */
  readonly leaseMs?: number;
  /** How often leases are renewed, in milliseconds, at most half of `leaseMs`. Default: a third of it. */
  readonly heartbeatMs?: number;
  /** How long a shutdown waits for running handlers, in milliseconds. Default 20,000. */
  readonly shutdownTimeoutMs?: number;
  /** Serve only these of the kinds that have handlers. Default: all. */
  readonly kinds?: readonly string[];
}

/** What `JobsModule.forRoot` takes. Every option has a default. */
export interface JobsModuleOptions {
  /** The name of the TypeORM DataSource. Default: the one without a name. */
  readonly dataSource?: string;
  /** Tells several `JobsModule`s in one application apart. Letters, digits and `_`. */
  readonly name?: string;
  /** Whether other modules need not import this one. Default true. */
  readonly isGlobal?: boolean;
  /** Before `jobs` in the name of the table: letters, digits and `_`, at most 40. Default `nest_`; with a `name`, `nest_<name>_`. */
  readonly tablePrefix?: string;
  /** The PostgreSQL schema of the table. Default: that of the DataSource. */
  readonly schema?: string;
  /** `'auto'`: make and upgrade the table at start-up. `'manual'`: `jobsMigrations()` do. Default `'auto'`. */
  readonly migrate?: 'auto' | 'manual';
  /** `false`: this process only enqueues. */
  readonly worker?: false | WorkerOptions;
  /** No attempt is tried again sooner, in milliseconds. Default 5000. */
  readonly minRetryDelayMs?: number;
  /** How often a job's worker may die before the job is `PANIC`. Default 3. */
  readonly maxCrashes?: number;
  /**
   * How long the database may take to answer a statement of the queue, in milliseconds, at least 1000; an enqueue gets
   * a millisecond more for each of its jobs. Not for statements through a `manager`. Default 30,000.
   */
  readonly databaseTimeoutMs?: number;
  /** The largest payload and the largest result, in bytes of JSON or of the `Uint8Array`. Default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /** Whether kinds that no handler of this process serves may be enqueued. Default `'refuse'`. */
  readonly unknownKinds?: 'refuse' | 'allow';
  /** Whether a thrown value is a panic; `undefined` leaves it to the default. */
  readonly isPanic?: (error: unknown) => boolean | undefined;
  /** Takes what belongs to a request along with the jobs that it enqueues. */
  readonly contextCarrier?: ContextCarrier;
  /** Guards, interceptors, pipes and filters of the whole application apply to handlers as well. Default: false. */
  readonly globalEnhancers?: boolean;
  /** The library whose running transaction an enqueue without a `manager` joins; see the sub-paths of this package. */
  readonly transactions?: AmbientTransactions;
  /** Default: Nest's `Logger` with the context `JobsModule`. */
  readonly logger?: JobsLogger;
}

/** The options with their defaults, checked. */
export interface ResolvedOptions {
  readonly name: string;
  readonly queue: TypeOrmJobQueueSettings;
  readonly worker: WorkerSettings;
  /** False where this process only enqueues. */
  readonly runsWorker: boolean;
  readonly maxPayloadBytes: number;
  readonly unknownKinds: 'refuse' | 'allow';
  readonly contextCarrier?: ContextCarrier;
  readonly globalEnhancers: boolean;
  readonly events: JobsEvents;
}

const MODULE_OPTIONS = [
  ...[
    'dataSource',
    'name',
    'isGlobal',
    'tablePrefix',
    'schema',
    'migrate',
    'worker',
    'minRetryDelayMs',
    'maxCrashes',
    'databaseTimeoutMs',
  ],
  ...[
    'maxPayloadBytes',
    'unknownKinds',
    'isPanic',
    'contextCarrier',
    'globalEnhancers',
    'transactions',
    'logger',
  ],
];
const WORKER_OPTIONS = [
  'concurrency',
  'pollIntervalMs',
  'leaseMs',
  'heartbeatMs',
  'shutdownTimeoutMs',
  'kinds',
];

/**
 * Fills in the defaults and checks everything.
 * @throws InvalidOptionError naming the option, the value and what is allowed
 */
export function resolveOptions(options: JobsModuleOptions = {}): ResolvedOptions {
  requireKnown(options, MODULE_OPTIONS, '');
  requirePlacement(options);
  const {
    name = DEFAULT_NAME,
    tablePrefix = name === DEFAULT_NAME ? 'nest_' : `nest_${name}_`,
    schema,
    migrate = 'auto',
    minRetryDelayMs = 5_000,
    maxCrashes = 3,
    databaseTimeoutMs = 30_000,
    maxPayloadBytes = 1024 * 1024,
    unknownKinds = 'refuse',
    isPanic,
    contextCarrier,
    globalEnhancers = false,
    logger = nestLogger(),
  } = options;
  requireNumbers({ minRetryDelayMs, maxCrashes, databaseTimeoutMs, maxPayloadBytes });
  requireOneOf('migrate', migrate, ['auto', 'manual']);
  requireOneOf('unknownKinds', unknownKinds, ['refuse', 'allow']);
  requireBoolean('globalEnhancers', globalEnhancers);
  requireTablePrefix(tablePrefix);
  requireParts(options);
  const worker = resolveWorker(options.worker === false ? undefined : options.worker);
  const { leaseMs, heartbeatMs } = worker;
  const rules = { minRetryDelayMs, maxCrashes, maxPayloadBytes, isPanic, events: loggedEvents(logger) };
  const shared: DequeueSettings = { workerId: newWorkerId(), leaseMs, heartbeatMs, ...rules };
  const storage = { tablePrefix, schema, migrate, databaseTimeoutMs, transactions: options.transactions };
  return Object.freeze({
    name,
    queue: Object.freeze({ ...shared, ...storage }),
    worker: Object.freeze({ ...shared, ...worker }),
    runsWorker: options.worker !== false,
    maxPayloadBytes,
    unknownKinds,
    contextCarrier,
    globalEnhancers,
    events: rules.events,
  });
}

function nestLogger(): JobsLogger {
  const isDebugEnabled = () => Logger.isLevelEnabled('debug');
  return Object.assign(new Logger('JobsModule'), { isDebugEnabled });
}

function requireNumbers(
  options: Required<
    Pick<JobsModuleOptions, 'minRetryDelayMs' | 'maxCrashes' | 'databaseTimeoutMs' | 'maxPayloadBytes'>
  >,
): void {
  requireInt('minRetryDelayMs', options.minRetryDelayMs, 0, MAX_DELAY_MS);
  requireInt('maxCrashes', options.maxCrashes, 1, 1000);
  requireInt('databaseTimeoutMs', options.databaseTimeoutMs, 1_000, 86_400_000);
  requireInt('maxPayloadBytes', options.maxPayloadBytes, 1, 2 ** 30);
}

function requireParts({ schema, isPanic, contextCarrier, transactions, logger }: JobsModuleOptions): void {
  if (schema !== undefined) requireText('schema', schema);
  if (isPanic !== undefined) requireFunction('isPanic', isPanic);
  if (contextCarrier !== undefined) requireMethods('contextCarrier', contextCarrier, ['capture', 'restore']);
  if (transactions !== undefined) requireMethods('transactions', transactions, ['current']);
  if (logger !== undefined) requireMethods('logger', logger, ['debug', 'log', 'warn', 'error']);
}

function resolveWorker(options: WorkerOptions = {}) {
  requireKnown(options, WORKER_OPTIONS, 'worker.');
  const {
    concurrency = 10,
    pollIntervalMs = 1_000,
    leaseMs = 30_000,
    shutdownTimeoutMs = 20_000,
    kinds,
  } = options;
  const { heartbeatMs = Math.floor(leaseMs / 3) } = options;
  requireInt('worker.concurrency', concurrency, 1, 10_000);
  requireInt('worker.pollIntervalMs', pollIntervalMs, 100, MAX_DELAY_MS);
  requireInt('worker.leaseMs', leaseMs, 1_000, 86_400_000);
  requireInt('worker.heartbeatMs', heartbeatMs, 100, Math.floor(leaseMs / 2));
  requireInt('worker.shutdownTimeoutMs', shutdownTimeoutMs, 0, 86_400_000);
  return { concurrency, pollIntervalMs, leaseMs, heartbeatMs, shutdownTimeoutMs, kinds: resolveKinds(kinds) };
}

/** As handlers have them: trimmed, and each once. */
function resolveKinds(kinds: readonly string[] | undefined): readonly string[] | undefined {
  if (kinds === undefined) return undefined;
  if (Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => typeof kind === 'string'))
    return [...new Set(kinds.map((kind) => kind.trim()))];
  const allowed = 'a list of kinds, at least one; for none, set worker: false';
  throw new InvalidOptionError('worker.kinds', kinds, allowed);
}

/** Tells one worker from every other, also where host name and process id are the same, as in containers. */
function newWorkerId(): string {
  return `${hostname().slice(0, 200)}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/**
 * Checks what Nest must know of a module before any factory runs.
 * @throws InvalidOptionError
 */
export function requirePlacement({
  name = DEFAULT_NAME,
  dataSource,
  isGlobal = true,
}: Pick<JobsModuleOptions, 'name' | 'dataSource' | 'isGlobal'>): void {
  if (typeof name !== 'string' || !/^\w{1,30}$/.test(name))
    throw new InvalidOptionError('name', name, '1 to 30 letters, digits and _');
  if (dataSource !== undefined) requireText('dataSource', dataSource);
  requireBoolean('isGlobal', isGlobal);
}

function requireTablePrefix(prefix: string): void {
  if (typeof prefix === 'string' && /^[A-Za-z0-9_]{0,40}$/.test(prefix)) return;
  throw new InvalidOptionError('tablePrefix', prefix, 'at most 40 letters, digits and _');
}

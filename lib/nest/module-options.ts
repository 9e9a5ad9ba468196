import { Logger } from '@nestjs/common';
import type { ContextCarrier } from '../job/context-carrier.js';
import { checkDefaults, type HandlerDefaults } from '../job/handler-options.js';
import type { AttemptHistory } from '../job/job-attempt.js';
import type { JobsLogger } from '../job/logger.js';
import {
  aFunction,
  allow,
  isObject,
  matching,
  methods,
  moduleName,
  oneOf,
  text,
  trueOrFalse,
  wholeNumber,
} from '../job/option-checks.js';
import type { OptionRules } from '../job/option-rules.js';
import type { RetentionOptions } from '../job/retention.js';
import { MAX_DELAY_MS } from '../job/retry.js';
import type { AmbientTransactions } from '../queue/transactions.js';
import { DEFAULT_NAME } from './jobs.tokens.js';
import { enhancers, type ModuleEnhancerOptions } from './module-enhancers.js';
import type { WorkerOptions } from './worker-options.js';

/** The options that Nest must know before a factory of the others runs. */
export interface JobsModuleIdentity {
  /** The name of the TypeORM DataSource. Default: the one without a name. */
  readonly dataSource?: string;
  /** Tells several `JobsModule`s in one application apart. Letters, digits and `_`. Default `'default'`. */
  readonly name?: string;
  /** Whether other modules need not import this one. Default true. */
  readonly isGlobal?: boolean;
}

/**
 * What `JobsModule.forRoot` takes. Every option may be left out.
 * @typeParam Carried what the `contextCarrier` captures; inferred where the carrier stands in the options
 */
export interface JobsModuleOptions<Carried = unknown> extends JobsModuleIdentity, ModuleEnhancerOptions {
  /** Before `jobs` in the name of the table: letters, digits and `_`, at most 40. Default `nest_`; with a `name`, `nest_<name>_`. */
  readonly tablePrefix?: string;
  /** The PostgreSQL schema of the table. Default: that of the DataSource. */
  readonly schema?: string;
  /** `'auto'`: make and upgrade the table at start-up. `'manual'`: `jobsMigrations()` do. Default `'auto'`. */
  readonly migrate?: 'auto' | 'manual';
  /**
   * `'optional'`: the application starts though the database is down. The module opens it in the background, and initializes
   * its DataSource if `manualInitialization` is set there; until then its methods reject with a `DatabaseNotReadyError`.
   * Default `'required'`.
   */
  readonly databaseAtStart?: 'required' | 'optional';
  /** `false`: this process only enqueues. */
  readonly worker?: false | WorkerOptions;
  /** No attempt is tried again sooner, in milliseconds. Default 5000. */
  readonly minRetryDelayMs?: number;
  /** How often a job's worker may die before the job is `PANIC`. Default 3. */
  readonly maxCrashes?: number;
  /**
   * How long the database may take to answer a statement of the queue, in milliseconds, at least 1000. An enqueue gets
   * a millisecond more for each of its jobs and for each 10 kB. Statements through a `manager` have no limit. Default
   * 10,000: a fail-over in which the old server vanishes without a word costs as much.
   */
  readonly databaseTimeoutMs?: number;
  /**
   * Prepare frequent statements on PostgreSQL. Default true. Set it to false behind a pooler that does not keep them; one
   * that is seen not to keep them is noticed.
   */
  readonly preparedStatements?: boolean;
  /** The largest payload and the largest result, in bytes of JSON or of the `Uint8Array`. Default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /**
   * How long settled jobs are kept: `{ done, cancelled, failed, panic, perKind }`, in milliseconds or as `'7d'`. 0 deletes
   * a job with its settlement, `false` keeps for good. Default: done and cancelled `'7d'`, failed and panic `'90d'`.
   */
  readonly retention?: false | RetentionOptions;
  /**
   * Which attempts have a row of their own, for `JobClient.attempts`: those that did not simply succeed, all, or none. At most
   * 50 of a job are kept. Default `'failures'`.
   */
  readonly attempts?: AttemptHistory;
  /** Whether kinds that no handler of this process serves may be enqueued. Default `'refuse'`. */
  readonly unknownKinds?: 'refuse' | 'allow';
  /** Options of all handlers, and of `dequeue`, where they and their definitions say nothing themselves. */
  readonly defaults?: HandlerDefaults;
  /** Whether a thrown value is a panic; `undefined` leaves it to the default. */
  readonly isPanic?: (error: unknown) => boolean | undefined;
  /** Takes what belongs to a request along with the jobs that it enqueues. */
  readonly contextCarrier?: ContextCarrier<Carried>;
  /** Guards, interceptors, pipes and filters of the whole application apply to handlers as well. Default false. */
  readonly globalEnhancers?: boolean;
  /** The library whose running transaction an enqueue without a `manager` joins; see the sub-paths of this package. */
  readonly transactions?: AmbientTransactions;
  /** Default: Nest's `Logger` with the context `JobsModule`, or `JobsModule:<name>`. */
  readonly logger?: JobsLogger;
}

export const IDENTITY_RULES = {
  dataSource: { check: text },
  name: { default: DEFAULT_NAME, check: moduleName },
  isGlobal: { default: true, check: trueOrFalse },
} satisfies OptionRules<JobsModuleIdentity>;

/** The rules of the module's options. */
export const MODULE_RULES = {
  ...IDENTITY_RULES,
  tablePrefix: {
    defaultFrom: ({ name }) => (name === DEFAULT_NAME ? 'nest_' : `nest_${name}_`),
    check: matching(/^[A-Za-z0-9_]{0,40}$/, 'at most 40 letters, digits and _'),
  },
  schema: { check: text },
  migrate: { default: 'auto', check: oneOf('auto', 'manual') },
  databaseAtStart: { default: 'required', check: oneOf('required', 'optional') },
  worker: { default: {}, check: allow('false or an object', (value) => value === false || isObject(value)) },
  minRetryDelayMs: { default: 5_000, check: wholeNumber(0, MAX_DELAY_MS) },
  maxCrashes: { default: 3, check: wholeNumber(1, 1000) },
  databaseTimeoutMs: { default: 10_000, check: wholeNumber(1_000, 86_400_000) },
  maxPayloadBytes: { default: 1024 * 1024, check: wholeNumber(1, 2 ** 30) },
  retention: {
    default: {},
    check: allow('false or an object', (value) => value === false || isObject(value)),
  },
  attempts: { default: 'failures', check: oneOf('failures', 'all', 'none') },
  unknownKinds: { default: 'refuse', check: oneOf('refuse', 'allow') },
  preparedStatements: { default: true, check: trueOrFalse },
  defaults: { check: checkDefaults },
  isPanic: { check: aFunction },
  contextCarrier: { check: methods('capture', 'restore') },
  globalEnhancers: { default: false, check: trueOrFalse },
  guards: { default: [], check: enhancers('guards') },
  interceptors: { default: [], check: enhancers('interceptors') },
  pipes: { default: [], check: enhancers('pipes') },
  filters: { default: [], check: enhancers('filters') },
  transactions: { check: methods('current') },
  logger: { defaultFrom: nestLogger, check: methods('debug', 'log', 'warn', 'error') },
} satisfies OptionRules<JobsModuleOptions>;

function nestLogger({ name }: Required<JobsModuleIdentity>): JobsLogger {
  const isDebugEnabled = () => Logger.isLevelEnabled('debug');
  const context = name === DEFAULT_NAME ? 'JobsModule' : `JobsModule:${name}`;
  return Object.assign(new Logger(context), { isDebugEnabled });
}

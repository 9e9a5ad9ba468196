import { anObject, isObject, moduleName, trueOrFalse, wholeNumber } from './option-checks.js';
import { resolveByRules, type OptionRules } from './option-rules.js';
import { checkBackoff, DEFAULT_BACKOFF, type Backoff } from './retry.js';
import { checkUniqueByPayload, type UniqueByPayload } from './unique.js';

/** The options of `@JobHandler(kind, options)`. */
export interface JobHandlerOptions {
  /** The `name` of the `JobsModule` that serves this handler. Default: the one without a name. */
  readonly queue?: string;
  /**
   * How many attempts may fail before the job is `FAILED`. The job's own `maxAttempts` takes precedence.
   * Default: a plain error fails at once, a `RetryableError` comes back without end.
   */
  readonly maxAttempts?: number;
  /** How long to wait before the next attempt. Default: 5 s, 10 s, 20 s … up to an hour, plus up to a fifth at random. */
  readonly backoff?: Backoff;
  /** Milliseconds after which `context.signal` aborts and the attempt counts as failed. Default: as long as it takes. */
  readonly timeoutMs?: number;
  /**
   * Runs the handler in a database transaction, under READ COMMITTED, whose last statement writes the outcome. What the
   * handler writes through `context.manager`, the jobs that it enqueues and its result are committed together, or not at
   * all. Default false.
   */
  readonly transactional?: boolean;
  /** `false`: what the handler returns is not stored, and need not be JSON. Default true. */
  readonly keepResult?: boolean;
  /** How many jobs of this kind one worker runs at once. Default: as many as the worker has room for. */
  readonly concurrency?: number;
  /**
   * Makes one job of those with the same key: `{ key: (payload) => payload.id, while: 'waiting', onConflict: 'join' }`. Holds
   * for all enqueues of the kind in this process that say nothing of `unique`, `debounce` or `throttle` themselves, and not
   * for jobs of schedules. Default: each enqueue makes a job.
   */
  readonly unique?: UniqueByPayload;
}

/** The rules of the options of a handler. */
export const HANDLER_RULES = {
  queue: { check: moduleName },
  maxAttempts: { check: wholeNumber(1) },
  backoff: { default: DEFAULT_BACKOFF, check: checkBackoff },
  timeoutMs: { check: wholeNumber(1) },
  transactional: { default: false, check: trueOrFalse },
  keepResult: { default: true, check: trueOrFalse },
  concurrency: { check: wholeNumber(1) },
  unique: { check: checkUniqueByPayload },
} satisfies OptionRules<JobHandlerOptions>;

/** The options of a handler that hold for all of a module; see `defaults` of the module. */
export type HandlerDefaults = Pick<JobHandlerOptions, 'maxAttempts' | 'backoff' | 'timeoutMs' | 'keepResult'>;

/** The rules of these. They have no defaults of their own. */
export const DEFAULTS_RULES = {
  maxAttempts: { check: HANDLER_RULES.maxAttempts.check },
  backoff: { check: HANDLER_RULES.backoff.check },
  timeoutMs: { check: HANDLER_RULES.timeoutMs.check },
  keepResult: { check: HANDLER_RULES.keepResult.check },
} satisfies OptionRules<HandlerDefaults>;

/** @throws InvalidOptionError */
export function checkDefaults(value: unknown, option: string): void {
  anObject(value, option, undefined);
  resolveByRules(value as HandlerDefaults, DEFAULTS_RULES, { prefix: `${option}.` });
}

/** @param prefix says whose options they are: `Mails.send in MailModule: ` @throws InvalidOptionError */
export function checkHandlerOptions(options: JobHandlerOptions, prefix: string): void {
  resolveByRules(options, HANDLER_RULES, { prefix });
}

/** The options of a handler, with those of its definition where it says nothing itself. */
export function withDefaults(options: JobHandlerOptions, definition: JobHandlerOptions): JobHandlerOptions {
  if (!isObject(options)) return options; // refused when the handler is registered
  const own = Object.entries(options).filter(([, value]) => value !== undefined);
  const others = Object.entries(definition).filter(([name]) => Object.hasOwn(HANDLER_RULES, name));
  return Object.fromEntries([...others, ...own]);
}

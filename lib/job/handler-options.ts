import { InvalidOptionError } from './errors.js';
import { validateBackoff, type Backoff } from './retry.js';

/** What `@JobHandler(kind, options)` takes. */
export interface JobHandlerOptions {
  /** The `name` of the `JobsModule` that serves this handler. Default: the one without a name. */
  readonly queue?: string;
  /**
   * How many attempts may fail before the job is `FAILED`; the job's own `maxAttempts` goes before it.
   * Default: a plain error fails at once, a `RetryableError` comes back without end.
   */
  readonly maxAttempts?: number;
  /** How long to wait before the next attempt. Default: 5 s, 10 s, 20 s … up to an hour, and up to a fifth more at random. */
  readonly backoff?: Backoff;
  /** Milliseconds after which `context.signal` aborts and the attempt counts as failed. Default: as long as it takes. */
  readonly timeoutMs?: number;
  /**
   * Runs the handler in a database transaction, under READ COMMITTED, whose last statement writes its outcome: what it
   * writes through `context.manager`, the jobs that it enqueues, and its result are committed together, or not at all.
   * Default: false.
   */
  readonly transactional?: boolean;
  /** How many jobs of this kind one worker runs at once. Default: as many as the worker has room for. */
  readonly concurrency?: number;
}

/** @throws InvalidOptionError */
export function validateHandlerOptions(options: JobHandlerOptions, prefix: string): void {
  for (const name of ['maxAttempts', 'timeoutMs', 'concurrency'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1)) {
      throw new InvalidOptionError(`${prefix}${name}`, value, 'a whole number from 1');
    }
  }
  const { transactional } = options;
  if (transactional !== undefined && typeof transactional !== 'boolean') {
    throw new InvalidOptionError(`${prefix}transactional`, transactional, 'true or false');
  }
  if (options.backoff !== undefined) validateBackoff(options.backoff, `${prefix}backoff`);
}

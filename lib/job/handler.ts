import type { AttemptPolicy, HandlerFn } from './attempt.js';
import type { JobDefinition } from './definition.js';
import { InvalidOptionError, KindExistsError } from './errors.js';
import { requireName } from './prepare-job.js';
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

/** A handler as the worker knows it. */
export interface Handler {
  readonly kind: string;
  readonly run: HandlerFn;
  readonly options: JobHandlerOptions;
  /** What checks its payloads. */
  readonly definition?: JobDefinition;
  /** Where it was declared, for messages: `InvoiceJobs.render`. */
  readonly place: string;
}

/** The handlers of one queue, by kind. */
export class HandlerRegistry {
  private readonly handlers = new Map<string, Handler>();

  /** @throws KindExistsError, InvalidOptionError, InvalidJobError */
  add(handler: Handler): void {
    const kind = requireName(handler.kind, `The kind of ${handler.place}`);
    const existing = this.handlers.get(kind);
    if (existing) throw new KindExistsError(kind, [existing.place, handler.place]);
    validateHandlerOptions(handler.options, `${handler.place}: `);
    this.handlers.set(kind, { ...handler, kind });
  }

  get(kind: string): Handler | undefined {
    return this.handlers.get(kind);
  }

  get kinds(): readonly string[] {
    return [...this.handlers.keys()];
  }
}

/** The retry rules that hold for a handler's attempts: its own options before the module's. */
export function policyOf(options: JobHandlerOptions, defaults: AttemptPolicy): AttemptPolicy {
  const { maxAttempts, backoff, timeoutMs, transactional } = options;
  return { ...defaults, maxAttempts, backoff, timeoutMs, transactional };
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

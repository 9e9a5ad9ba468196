import type { EntityManager } from 'typeorm';
import { describeError, isError, storableText } from '../job/describe-error.js';
import { encodeDocument, type StoredDocument } from '../job/document.js';
import { JobsError, JobTimeoutError, PermanentError, RetryableError } from '../job/errors.js';
import type { ClaimedJob, JobContext } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { isPanicByDefault } from '../job/panic.js';
import { backoffDelayMs, DEFAULT_BACKOFF, isDelay, type Backoff } from '../job/retry.js';
import { withTimeLimit } from '../async/timers.js';

/** A user's method: what it returns becomes the result, what it throws decides how the job goes on. */
export type HandlerFn = (job: ClaimedJob<never>, context: JobContext<never>) => unknown;

/** What decides over the outcome of an attempt; from the handler's options and the module's. */
export interface AttemptPolicy {
  /** How many attempts may fail. Undefined: a plain error fails at once, a `RetryableError` comes back without end. */
  readonly maxAttempts?: number;
  readonly backoff?: Backoff;
  /** Undefined: as long as it takes. */
  readonly timeoutMs?: number;
  /** The handler runs in a transaction, which its outcome is part of. Default: false. */
  readonly transactional?: boolean;
  readonly minRetryDelayMs: number;
  readonly maxPayloadBytes: number;
  /** Undefined leaves the decision to the default. */
  readonly isPanic?: (error: unknown) => boolean | undefined;
}

/** One run of a handler over one claimed job. Knows no database: what it ends in is for the caller to write. */
export class Attempt {
  private readonly lazySignal = new LazySignal();
  private handlerRun: Promise<unknown> = Promise.resolve();
  private running = false;

  constructor(
    readonly job: ClaimedJob,
    private readonly handler: HandlerFn,
    private readonly policy: AttemptPolicy,
  ) {}

  /** Runs the handler and tells the outcome: when it ends, or when its time is up. Never rejects. */
  async run(): Promise<Outcome> {
    try {
      return { type: 'done', result: this.stored(await this.handlerValue()) };
    } catch (error) {
      return this.outcomeOf(error);
    }
  }

  /**
   * Runs the handler. Rejects with what it throws, or when its time is up.
   * @param manager of the transaction that it runs in, if it does
   */
  async call(manager?: EntityManager): Promise<StoredDocument> {
    return this.stored(await this.handlerValue(manager));
  }

  /** The handler is to run in a transaction. */
  get isTransactional(): boolean {
    return this.policy.transactional ?? false;
  }

  /** Aborts when the handler is to stop. */
  get signal(): AbortSignal {
    return this.lazySignal.get();
  }

  /** Tells the handler to stop; `reason` says why. */
  abort(reason: Error): void {
    this.lazySignal.abort(reason);
  }

  /** Settles when the handler has really ended, which may be long after its time was up. Never rejects. */
  get ended(): Promise<void> {
    return this.handlerRun.then(ignore, ignore);
  }

  /** Whether the handler has ended, or was never called. */
  get hasEnded(): boolean {
    return !this.running;
  }

  private stored(value: unknown): StoredDocument {
    return encodeDocument(value, 'result', this.policy.maxPayloadBytes);
  }

  private async handlerValue(manager?: EntityManager): Promise<unknown> {
    if (this.job.unreadable !== undefined)
      throw new PermanentError('The job cannot be read.', { cause: this.job.unreadable });
    const job = this.job as ClaimedJob<never>;
    this.handlerRun = Promise.resolve(this.handler(job, new AttemptContext(job, this.lazySignal, manager)));
    this.running = true;
    if (this.policy.timeoutMs !== undefined) return this.withinTimeLimit(this.policy.timeoutMs);
    try {
      return await this.handlerRun;
    } finally {
      this.running = false;
    }
  }

  private withinTimeLimit(timeoutMs: number): Promise<unknown> {
    const { handlerRun } = this;
    const ends = this.ended.then(() => {
      this.running = false;
      return handlerRun;
    });
    ends.catch(ignore);
    return withTimeLimit(ends, timeoutMs, () => {
      const error = new JobTimeoutError(timeoutMs);
      this.abort(error);
      return error;
    });
  }

  /** What an error of the handler means for the job. */
  outcomeOf(error: unknown): Outcome {
    const lastError = describeError(error);
    if (isA(PermanentError, error)) return { type: 'failed', lastError };
    if (!isA(RetryableError, error) && this.isPanic(error)) {
      return { type: 'panic', lastError: storableText(`panic: ${lastError}`) };
    }
    return this.mayTryAgain(error)
      ? { type: 'retry', delayMs: this.retryDelayMs(error), lastError }
      : { type: 'failed', lastError };
  }

  private isPanic(error: unknown): boolean {
    try {
      return this.policy.isPanic?.(error) ?? isPanicByDefault(error);
    } catch {
      return isPanicByDefault(error);
    }
  }

  private mayTryAgain(error: unknown): boolean {
    const maxAttempts = this.job.maxAttempts ?? this.policy.maxAttempts;
    if (maxAttempts === undefined) return isA(RetryableError, error);
    return this.failures < maxAttempts;
  }

  private retryDelayMs(error: unknown): number {
    const asked = isA(RetryableError, error) && isDelay(error.retryAfterMs) ? error.retryAfterMs : undefined;
    const delayMs = asked ?? backoffDelayMs(this.policy.backoff ?? DEFAULT_BACKOFF, this.failures);
    return Math.ceil(Math.max(delayMs, this.policy.minRetryDelayMs));
  }

  /** This one included. Attempts whose worker died are not the handler's failures. */
  private get failures(): number {
    return this.job.attemptsDone - this.job.crashes + 1;
  }
}

/** What the handler sees of its attempt. */
class AttemptContext implements JobContext<never> {
  readonly attempt: number;
  readonly leaseToken: number;
  readonly workerId: string;

  constructor(
    readonly job: ClaimedJob<never>,
    private readonly lazySignal: LazySignal,
    private readonly transactionManager: EntityManager | undefined,
  ) {
    this.attempt = job.attemptsDone + 1;
    this.leaseToken = job.leaseToken;
    this.workerId = job.lockedBy;
  }

  get signal(): AbortSignal {
    return this.lazySignal.get();
  }

  get manager(): EntityManager {
    if (this.transactionManager !== undefined) return this.transactionManager;
    throw new JobsError(
      `The handler of "${this.job.kind}" runs in no transaction, so its context has no manager: ` +
        `set { transactional: true } in its @JobHandler.`,
    );
  }
}

/** An abort signal that is made when it is first asked for: most handlers never do, and each costs more than a job. */
class LazySignal {
  private controller: AbortController | undefined;
  private reason: Error | undefined;

  get(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  abort(reason: Error): void {
    this.reason ??= reason;
    this.controller?.abort(reason);
  }
}

/** As `instanceof`, which throws for a revoked proxy. */
function isA<E extends Error>(type: abstract new (...args: never[]) => E, thrown: unknown): thrown is E {
  return isError(thrown) && thrown instanceof type;
}

function ignore(): void {}

import { describeError, storableText } from './describe-error.js';
import { encodeDocument } from './document.js';
import { JobTimeoutError } from './errors.js';
import type { ClaimedJob, JobContext } from './job.js';
import type { Outcome } from './outcome.js';
import { isPanicByDefault } from './panic.js';
import {
  backoffDelayMs,
  DEFAULT_BACKOFF,
  isDelay,
  PermanentError,
  RetryableError,
  type Backoff,
} from './retry.js';
import { sleep } from './timers.js';

/** A user's method: what it returns becomes the result, what it throws decides how the job goes on. */
export type HandlerFn = (job: ClaimedJob<never>, context: JobContext<never>) => unknown;

/** What decides over the outcome of an attempt; from the handler's options and the module's. */
export interface AttemptPolicy {
  /** How many attempts may fail. Undefined: a plain error fails at once, a `RetryableError` comes back without end. */
  readonly maxAttempts?: number;
  readonly backoff?: Backoff;
  /** Undefined: as long as it takes. */
  readonly timeoutMs?: number;
  readonly minRetryDelayMs: number;
  readonly maxPayloadBytes: number;
  /** Undefined leaves the decision to the default. */
  readonly isPanic?: (error: unknown) => boolean | undefined;
}

/** One run of a handler over one claimed job. Knows no database: what it ends in is for the caller to write. */
export class Attempt {
  private readonly signal = new LazySignal();
  private handlerEnd: Promise<void> = Promise.resolve();
  private running = false;

  constructor(
    readonly job: ClaimedJob,
    private readonly handler: HandlerFn,
    private readonly policy: AttemptPolicy,
  ) {}

  /** Runs the handler and tells the outcome: when it ends, or when its time is up. Never rejects. */
  async run(): Promise<Outcome> {
    try {
      if (this.job.unreadable !== undefined)
        throw new PermanentError('The job cannot be read.', { cause: this.job.unreadable });
      const value = await this.withinTimeLimit(this.callHandler());
      return { type: 'done', result: encodeDocument(value, 'result', this.policy.maxPayloadBytes) };
    } catch (error) {
      return this.outcomeOf(error);
    }
  }

  /** Tells the handler to stop; `reason` says why. */
  abort(reason: Error): void {
    this.signal.abort(reason);
  }

  /** Settles when the handler has really ended, which may be long after its time was up. Never rejects. */
  get ended(): Promise<void> {
    return this.handlerEnd;
  }

  /** Whether the handler has ended, or was never called. */
  get hasEnded(): boolean {
    return !this.running;
  }

  private callHandler(): Promise<unknown> {
    const { handler } = this;
    const job = this.job as ClaimedJob<never>;
    const context = new AttemptContext(job, this.signal);
    const running = new Promise((resolve) => resolve(handler(job, context)));
    this.running = true;
    const end = () => {
      this.running = false;
    };
    this.handlerEnd = running.then(end, end);
    return running;
  }

  private async withinTimeLimit(running: Promise<unknown>): Promise<unknown> {
    const { timeoutMs } = this.policy;
    if (timeoutMs === undefined) return running;
    const timer = new AbortController();
    const timeUp = sleep(timeoutMs, timer.signal).then((passed) => {
      if (!passed) return running;
      const error = new JobTimeoutError(timeoutMs);
      this.signal.abort(error);
      throw error;
    });
    try {
      return await Promise.race([running, timeUp]);
    } finally {
      timer.abort();
      timeUp.catch(ignore);
    }
  }

  private outcomeOf(error: unknown): Outcome {
    const lastError = describeError(error);
    if (error instanceof PermanentError) return { type: 'failed', lastError };
    if (!(error instanceof RetryableError) && this.isPanic(error)) {
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
    if (maxAttempts === undefined) return error instanceof RetryableError;
    return this.failures < maxAttempts;
  }

  private retryDelayMs(error: unknown): number {
    const asked =
      error instanceof RetryableError && isDelay(error.retryAfterMs) ? error.retryAfterMs : undefined;
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
  ) {
    this.attempt = job.attemptsDone + 1;
    this.leaseToken = job.leaseToken;
    this.workerId = job.lockedBy;
  }

  get signal(): AbortSignal {
    return this.lazySignal.get();
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

function ignore(): void {}

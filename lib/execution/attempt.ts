import type { EntityManager } from 'typeorm';
import { withTimeLimit } from '../async/timers.js';
import { encodeDocument, type StoredDocument } from '../job/document.js';
import { JobTimeoutError, PermanentError } from '../job/errors.js';
import type { ClaimedJob, JobContext } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { AttemptContext, LazySignal } from './attempt-context.js';
import type { AttemptPolicy } from './attempt-policy.js';
import { outcomeOfError } from './failure.js';
import { isObservable, lastValueOf } from './observables.js';

export type { AttemptPolicy } from './attempt-policy.js';

/** A user's method: what it returns becomes the result, what it throws decides what becomes of the job. */
export type HandlerFn = (job: ClaimedJob<never>, context: JobContext<never>) => unknown;

/** One call of a handler with one claimed job. It knows no database: the caller writes what it ends in. */
export class Attempt {
  private readonly lazySignal = new LazySignal();
  private handling: Promise<unknown> = Promise.resolve();
  private isHandling = false;

  constructor(
    readonly job: ClaimedJob,
    private readonly handler: HandlerFn,
    private readonly policy: AttemptPolicy,
  ) {}

  /** Runs the handler. Resolves to the outcome when the handler ends, or when its time is up. Never rejects. */
  async run(): Promise<Outcome> {
    try {
      return { type: 'done', result: await this.call() };
    } catch (error) {
      return this.outcomeOf(error);
    }
  }

  /**
   * Runs the handler. Rejects with what it throws, or when its time is up.
   * @param manager of the transaction that the handler runs in, if it does
   */
  async call(manager?: EntityManager): Promise<StoredDocument> {
    return encodeDocument(await this.handlerValue(manager), 'result', this.policy.maxPayloadBytes);
  }

  /** What an error of the handler means for the job. */
  outcomeOf(error: unknown): Outcome {
    return outcomeOfError(error, this.job, this.policy);
  }

  /** Whether the handler is to run in a transaction. */
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

  /** Resolves when the handler has really ended, which may be long after its time was up. Never rejects. */
  get ended(): Promise<void> {
    return this.handling.then(ignore, ignore);
  }

  /** Whether the handler has ended, or was never called. */
  get hasEnded(): boolean {
    return !this.isHandling;
  }

  private async handlerValue(manager?: EntityManager): Promise<unknown> {
    if (this.job.unreadable !== undefined)
      throw new PermanentError('The job cannot be read.', { cause: this.job.unreadable });
    const job = { ...this.job } as ClaimedJob<never>; // its own: what it writes there must not reach the worker's
    this.handling = this.settled(this.handler(job, new AttemptContext(job, this.lazySignal, manager)));
    this.isHandling = true;
    if (this.policy.timeoutMs !== undefined) return this.withinTimeLimit(this.policy.timeoutMs);
    try {
      return await this.handling;
    } finally {
      this.isHandling = false;
    }
  }

  /** What a handler has returned may be a promise, an Observable, or a promise of one. */
  private async settled(returned: unknown): Promise<unknown> {
    const value = await returned;
    return isObservable(value) ? lastValueOf(value, this.signal) : value;
  }

  private withinTimeLimit(timeoutMs: number): Promise<unknown> {
    const { handling } = this;
    const ends = this.ended.then(() => {
      this.isHandling = false;
      return handling;
    });
    ends.catch(ignore);
    return withTimeLimit(ends, timeoutMs, () => {
      const error = new JobTimeoutError(timeoutMs);
      this.abort(error);
      return error;
    });
  }
}

function ignore(): void {}

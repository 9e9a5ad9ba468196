import type { EntityManager } from 'typeorm';
import { withTimeLimit } from '../async/timers.js';
import { encodeDocument } from '../job/document.js';
import { JobCancelledError } from '../job/control-errors.js';
import { JobTimeoutError, PermanentError } from '../job/errors.js';
import type { ClaimedJob, JobContext } from '../job/job.js';
import type { JobLogLevel } from '../job/job-log.js';
import { outcomeOfReturned, type Outcome, type Returned, type Snoozed } from '../job/outcome.js';
import { AttemptContext, LazySignal, type NoteTaker } from './attempt-context.js';
import { AttemptNotes, type NoteListener } from './attempt-notes.js';
import type { AttemptPolicy } from './attempt-policy.js';
import { outcomeOfError } from './failure.js';
import { isObservable, lastValueOf } from './observables.js';

export type { AttemptPolicy } from './attempt-policy.js';

/** A user's method: what it returns becomes the result, what it throws decides what becomes of the job. */
export type HandlerFn = (job: ClaimedJob<never>, context: JobContext<never>) => unknown;

/** One call of a handler with one claimed job. It knows no database: the caller writes what it ends in. */
export class Attempt implements NoteTaker {
  /** What the handler has noted: there is none before its first note. */
  notes: AttemptNotes | undefined;
  /** Without one, nothing is noted. */
  noteListener: NoteListener | undefined;
  /** What the last call has thrown, if it has. */
  error: unknown;
  private isNoteRefused = false;
  private readonly lazySignal = new LazySignal();
  private context: AttemptContext | undefined;
  private handling: Promise<unknown> | undefined;
  private isHandling = false;

  constructor(
    readonly job: ClaimedJob,
    private readonly handler: HandlerFn,
    private readonly policy: AttemptPolicy,
  ) {}

  /** Runs the handler. Resolves to the outcome when the handler ends, or when its time is up. Never rejects. */
  run(): Promise<Outcome> {
    const outcome = this.outcome();
    this.handling ??= outcome;
    return outcome;
  }

  /**
   * Runs the handler. Rejects with what it throws, or when its time is up.
   * @param manager of the transaction that the handler runs in, if it does
   */
  async call(manager?: EntityManager): Promise<Returned> {
    return this.returned(await this.value(manager));
  }

  /** That the handler has asked for its job to be put back, if it has; in the last call, where there were several. */
  get snoozed(): Snoozed | undefined {
    const delayMs = this.context?.snoozeMs;
    return delayMs === undefined ? undefined : { type: 'snoozed', delayMs };
  }

  /** What an error of the handler means for the job. */
  outcomeOf(error: unknown): Outcome {
    this.error = error;
    const { reason } = this.lazySignal;
    if (reason instanceof JobCancelledError) return { type: 'cancelled', reason: reason.reason };
    return outcomeOfError(error, this.job, this.policy);
  }

  noteProgress(progress: unknown): void {
    this.note((notes) => notes.setProgress(progress));
  }

  noteLine(entry: unknown, level: JobLogLevel): void {
    this.note((notes) => notes.addLine(entry, level));
  }

  /** Something that was noted is dropped. */
  noteRefused(error: unknown): void {
    if (this.isNoteRefused) return;
    this.isNoteRefused = true;
    this.noteListener?.noteRefused(error);
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
    return Promise.resolve(this.handling).then(ignore, ignore);
  }

  /** Whether the handler has ended, or was never called. */
  get hasEnded(): boolean {
    return !this.isHandling;
  }

  private async outcome(): Promise<Outcome> {
    const endsWithHandler = this.policy.timeoutMs === undefined; // then it takes a promise less
    try {
      let value = await (endsWithHandler ? this.begin() : this.value());
      if (endsWithHandler && isObservable(value)) value = await lastValueOf(value, this.signal);
      return outcomeOfReturned(this.returned(value));
    } catch (error) {
      return this.outcomeOf(error);
    } finally {
      if (endsWithHandler) this.isHandling = false;
    }
  }

  /** What the handler returns, in time. */
  private value(manager?: EntityManager): Promise<unknown> {
    const { timeoutMs } = this.policy;
    const handling = this.handle(manager);
    this.handling = handling;
    return timeoutMs === undefined ? handling : this.withinTimeLimit(handling, timeoutMs);
  }

  private returned(value: unknown): Returned {
    const { snoozed } = this;
    if (snoozed !== undefined) return snoozed;
    const { keepResult = true, maxPayloadBytes } = this.policy;
    return encodeDocument(keepResult ? value : undefined, 'result', maxPayloadBytes);
  }

  private async handle(manager?: EntityManager): Promise<unknown> {
    try {
      const value = await this.begin(manager);
      return isObservable(value) ? await lastValueOf(value, this.signal) : value;
    } finally {
      this.isHandling = false;
    }
  }

  /** Calls the handler. What that returns may be a promise, an Observable, or a promise of one. */
  private begin(manager?: EntityManager): unknown {
    if (this.job.unreadable !== undefined)
      throw new PermanentError('The job cannot be read.', { cause: this.job.unreadable });
    const job = { ...this.job } as ClaimedJob<never>; // its own: what it writes there must not reach the worker's
    this.context = new AttemptContext(job, this.lazySignal, manager, this);
    this.isHandling = true;
    return this.handler(job, this.context);
  }

  private note(write: (notes: AttemptNotes) => void): void {
    if (this.noteListener === undefined) return;
    try {
      write((this.notes ??= new AttemptNotes()));
    } catch (error) {
      this.noteRefused(error);
      return;
    }
    this.noteListener.noted();
  }

  private withinTimeLimit(handling: Promise<unknown>, timeoutMs: number): Promise<unknown> {
    return withTimeLimit(handling, timeoutMs, () => {
      const error = new JobTimeoutError(timeoutMs);
      this.abort(error);
      return error;
    });
  }
}

function ignore(): void {}

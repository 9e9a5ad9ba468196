import type { JobsEvents } from '../events/jobs-events.js';
import { JobFailedError } from '../job/control-errors.js';
import type { EncodedJob } from '../job/encode-job.js';
import { InvalidJobError } from '../job/errors.js';
import type { Job, NewJob } from '../job/job.js';
import type { JobAttempt } from '../job/job-attempt.js';
import { requireName } from '../job/names.js';
import type { JobQueue } from '../queue/job-queue.js';
import type {
  CancelOptions,
  CloneOverrides,
  DeleteOptions,
  JobUpdate,
  RetryOptions,
} from './edit-arguments.js';
import { CheckedEncoder, type CheckedEncoderSettings } from './checked-encoder.js';
import { requireOptions, type EnqueuedJob } from './enqueue-arguments.js';
import { explainJob, NOT_FOUND, type JobExplanation } from './explain-job.js';
import { JobEdits } from './job-edits.js';
import { liveWorkerOf } from './live-worker.js';
import { readLog, type JobLog, type JobLogOptions } from './job-logs.js';
import { JobWaiter } from './job-waiter.js';
import { sendWithin } from './send-within.js';
import { requireWaitOptions, type WaitOptions } from './wait-options.js';
import { targetOf, unlessClosed, type EnqueueManyOptions, type WriteTargetSettings } from './write-target.js';

export interface JobClientSettings extends WriteTargetSettings, CheckedEncoderSettings {
  /** Tells what this process has settled: who waits for that hears of it at once. */
  readonly events?: JobsEvents;
}

/** What `JobClient` does with jobs that are there. */
export abstract class JobControl {
  protected readonly encoder: CheckedEncoder;
  private readonly waiter: JobWaiter;

  constructor(
    protected readonly queue: JobQueue,
    protected readonly settings: JobClientSettings = {},
  ) {
    this.encoder = new CheckedEncoder(settings);
    this.waiter = new JobWaiter(queue.reads, settings);
  }

  /**
   * Cancels a job, also one that runs, in whatever process. A job that waits is `CANCELLED` with this. One that runs is asked
   * to stop: the signal of its handler aborts with a `JobCancelledError`, at once where its worker can be told and else with
   * the next renewal of its lease. A handler that then throws leaves it `CANCELLED`, one that returns leaves it `DONE`; where
   * its worker dies, it is `CANCELLED` when its lease has run out.
   *
   * @returns `'cancelled'`, or `'stopping'` where it runs; null where it has ended, or there is no such job
   * @throws InvalidJobError
   */
  async cancel(id: string, options?: CancelOptions): Promise<'cancelled' | 'stopping' | null> {
    const { reason, ...target } = requireOptions(options);
    return this.unlessClosed(this.edits(target).cancel(id, reason));
  }

  /**
   * Runs a job again that is `FAILED`, `PANIC` or `CANCELLED`: now, or at `runAt`. It has a fresh budget of attempts, whose
   * number goes on rising.
   *
   * @returns null where it is none of those; a job that is `DONE` is run again by `clone`
   * @throws InvalidJobError, and DuplicateJobError where another job has its unique key by now
   */
  async retry(id: string, options?: RetryOptions): Promise<Job | null> {
    const { runAt, delayMs, ...target } = requireOptions(options);
    return this.unlessClosed(this.edits(target).retry(id, { runAt, delayMs }));
  }

  /**
   * Changes a job that waits. Its handler sees it as it was or as it is now, and nothing in between.
   *
   * ```ts
   * await jobs.update(id, { runAt: new Date('2026-12-01T09:00:00Z'), priority: -1 });
   * ```
   *
   * @returns the job as it is now
   * @throws JobNotWaitingError, InvalidJobError, InvalidPayloadError. Nothing has been changed then.
   */
  async update(id: string, changes: JobUpdate, options?: EnqueueManyOptions): Promise<Job> {
    return this.unlessClosed(this.edits(requireOptions(options)).update(id, changes));
  }

  /** Makes a job ready that waits for its `runAt`. @throws JobNotWaitingError */
  async runNow(id: string, options?: EnqueueManyOptions): Promise<Job> {
    return this.unlessClosed(this.edits(requireOptions(options)).runNow(id));
  }

  /**
   * Enqueues a job like another one, which may have ended: with its kind, payload, priority, `maxAttempts`, backoff, tags and
   * carried context, and a new id. A unique key of its handler counts for the copy as for any other enqueue.
   *
   * @param overrides what is to be different
   * @returns the job that there is now; `enqueued` says what happened
   * @throws InvalidJobError, also where there is no such job; and what `enqueue` throws
   */
  async clone(
    id: string,
    overrides: CloneOverrides = {},
    options?: EnqueueManyOptions,
  ): Promise<EnqueuedJob> {
    const given = requireOptions(options);
    const target = targetOf(this.queue, given, this.settings.onUnjoined);
    const original = await this.unlessClosed(this.queue.edits.look(requireName(id, 'id'), target));
    if (original === null) throw new InvalidJobError('id', `is "${id}", and there is no such job.`);
    const { kind, payload, priority, maxAttempts, backoff, tags } = original;
    const copy = { kind, payload, priority, maxAttempts, backoff, tags, ...overrides };
    const version = Object.hasOwn(overrides, 'payload') ? undefined : original.payloadVersion;
    const [job] = await this.send([copy], given, async () => [
      await this.encoder.encode(copy, original.carried, version),
    ]);
    return job!;
  }

  /**
   * Deletes a job, with all that is stored beside it.
   *
   * @returns whether there was one
   * @throws JobRunningError where it runs and `force` is not set
   */
  async delete(id: string, options?: DeleteOptions): Promise<boolean> {
    const { force = false, ...target } = requireOptions(options);
    return this.unlessClosed(this.edits(target).delete(id, force));
  }

  /**
   * The attempts of a job that have ended otherwise than done, or all of them with the module's option `attempts: 'all'`: the
   * newest first, at most 50. None of a job that does not exist.
   * @throws InvalidJobError where no job can have such an id
   */
  async attempts(id: string): Promise<JobAttempt[]> {
    return this.unlessClosed(this.queue.reads.attempts(requireName(id, 'id')));
  }

  /**
   * What the handler of a job has logged by `context.log`, in that order: of each attempt the newest 1,000 lines, or 64 kB. Where
   * earlier ones were dropped, a line tells how many.
   * @throws InvalidJobError
   */
  async logs(id: string, options?: JobLogOptions): Promise<JobLog> {
    return this.unlessClosed(readLog(this.queue.reads, id, options));
  }

  /**
   * Waits until a job has ended, in whatever process it runs.
   *
   * @returns the job as it ended; for a job that has ended already, at once
   * @throws WaitTimeoutError; JobGoneError where there is no such job, or no longer; the reason of the signal
   */
  async waitFor<Payload = unknown, Result = unknown>(
    id: string,
    options?: WaitOptions,
  ): Promise<Job<Payload, Result>> {
    const { timeoutMs, signal } = requireWaitOptions(requireOptions(options));
    const ended = this.waiter.wait(requireName(id, 'id'), timeoutMs, signal);
    return this.unlessClosed(ended) as Promise<Job<Payload, Result>>;
  }

  /**
   * Waits for the result of a job.
   *
   * @throws JobFailedError where the job ends as `FAILED`, `PANIC` or `CANCELLED`; and what `waitFor` throws
   */
  async waitForResult<Result = unknown>(id: string, options?: WaitOptions): Promise<Result> {
    const job = await this.waitFor<unknown, Result>(id, options);
    if (job.status !== 'DONE') throw new JobFailedError(job);
    return job.result as Result;
  }

  /**
   * Tells why a job is where it is: why it does not start, who runs it, or how it ended. For people; the codes are for
   * programs.
   *
   * ```ts
   * const { state, reasons } = await jobs.explain(id);
   * // 'ready', [{ code: 'no-worker', text: '2 workers are live, and none of them serves the kind invoice. …' }]
   * ```
   *
   * @throws InvalidJobError where no job can have such an id
   */
  async explain(id: string): Promise<JobExplanation> {
    const job = await this.unlessClosed(this.queue.get(requireName(id, 'id')));
    if (job === null) return NOT_FOUND;
    const { kinds, reads } = this.queue;
    const look = Promise.all([reads.now(), kinds.controls(), kinds.workers(), kinds.backlog([job.kind])]);
    const [now, controls, workers, [backlog]] = await this.unlessClosed(look);
    const knownVersion = this.settings.definitionOf?.(job.kind)?.version;
    const facts = { job, now, controls, workers: workers.map(liveWorkerOf), knownVersion };
    return explainJob({ ...facts, ready: backlog?.ready ?? 0 });
  }

  private edits(options: EnqueueManyOptions): JobEdits {
    const encoding = {
      encode: (job: NewJob) => this.encoder.encodeUnchecked(job),
      check: (job: NewJob) => this.encoder.encode(job),
    };
    return new JobEdits(this.queue.edits, encoding, targetOf(this.queue, options, this.settings.onUnjoined));
  }

  /** Encodes jobs and writes them, within what stands around enqueues. */
  protected send(
    jobs: readonly { readonly kind: string }[],
    options: EnqueueManyOptions,
    encode: () => readonly EncodedJob[] | Promise<readonly EncodedJob[]>,
  ): Promise<EnqueuedJob[]> {
    const write = async () => await this.write(await encode(), options);
    return sendWithin(this.settings.events, this.queue, jobs, options, write);
  }

  private write(jobs: readonly EncodedJob[], options: EnqueueManyOptions): Promise<EnqueuedJob[]> {
    const target = targetOf(this.queue, options, this.settings.onUnjoined);
    return this.unlessClosed(this.queue.enqueue(jobs, target)) as Promise<EnqueuedJob[]>;
  }

  protected unlessClosed<Answer>(answer: Promise<Answer>, isOurs?: () => boolean): Promise<Answer> {
    return unlessClosed(this.settings, answer, isOurs);
  }
}

import type { StoredDocument } from '../job/document.js';
import type { Job } from '../job/job.js';
import type { JobStatus } from '../job/job-state.js';
import type { StoredSettings } from '../job/settings.js';
import type { EnqueueTarget } from './transactions.js';

/** A job that was told to end. */
export interface CancelledJob {
  readonly id: string;
  readonly kind: string;
  /** Whether it is running: its worker is to stop it. Otherwise it is `CANCELLED` already. */
  readonly isRunning: boolean;
}

/** When a job is to start: at an instant, or in so many milliseconds by the storage's clock where that is null. */
export interface JobStart {
  /** Milliseconds since 1970. */
  readonly runAtMs: number | null;
  readonly delayMs: number;
}

/** What is to be changed of a job; what is absent stays. */
export interface JobChanges {
  readonly payload?: StoredDocument;
  /** Given with a payload. */
  readonly payloadVersion?: number;
  readonly start?: JobStart;
  readonly priority?: number;
  readonly maxAttempts?: number;
  readonly settings?: Pick<StoredSettings, 'tags' | 'backoff'>;
}

/** A job that is to be made ready again. */
export interface JobRetry extends JobStart {
  readonly id: string;
}

/** What a retry of many jobs has done. */
export interface RetriedJobs {
  readonly retried: number;
  /** How many were left as they are, because another job has their unique key. */
  readonly conflicts: number;
}

/** Hears of running jobs that are asked to end; null stands for any. */
export type StopListener = (ids: readonly string[] | null) => void;

/**
 * Changes jobs that are there. Every implementation passes test/contract/edits.contract.ts.
 *
 * Methods take a target as an enqueue does: with a `manager` they belong to its transaction, and see what it has written.
 * Unlike those of workers, they wait for a row that another transaction has locked.
 */
export abstract class JobEditor {
  /** The job as the transaction of the target sees it, or null. */
  abstract look(id: string, target?: EnqueueTarget): Promise<Job | null>;

  /**
   * Ends jobs that wait, as `CANCELLED`. Asks the workers of those that run to end them: by the row, which a renewal reads,
   * and by a hint. Passes over those that have ended.
   *
   * @returns the jobs that had not ended
   */
  abstract cancel(
    ids: readonly string[],
    reason: string | null,
    target?: EnqueueTarget,
  ): Promise<CancelledJob[]>;

  /**
   * Makes a job that is `FAILED`, `PANIC` or `CANCELLED` ready again, with a fresh budget of attempts and crashes. The number
   * of its attempts goes on rising.
   *
   * @returns whether it was one of those
   */
  abstract retry(id: string, start: JobStart, target?: EnqueueTarget): Promise<boolean>;

  /**
   * The same for many jobs: those that are none of these, and those whose unique key another job has by now, are passed over.
   *
   * @param jobs in ascending order of id; either all have a `runAtMs`, or none
   */
  abstract retryAll(jobs: readonly JobRetry[], target?: EnqueueTarget): Promise<RetriedJobs>;

  /** Changes a job that waits. @returns whether it waits */
  abstract update(id: string, changes: JobChanges, target?: EnqueueTarget): Promise<boolean>;

  /**
   * Deletes a job, with all that is stored beside it.
   * @param force also where it is running: its worker then finds its lease lost
   */
  abstract delete(
    id: string,
    force: boolean,
    target?: EnqueueTarget,
  ): Promise<'deleted' | 'running' | 'missing'>;

  /**
   * Deletes jobs that have one of these statuses, with all that is stored beside them. Passes over those that run.
   *
   * @param ids in ascending order
   * @returns how many were deleted
   */
  abstract deleteAll(
    ids: readonly string[],
    statuses: readonly JobStatus[],
    target?: EnqueueTarget,
  ): Promise<number>;

  /**
   * Calls the listener when running jobs may have been asked to end, by this process or, where the storage can tell it, by
   * another one. This is a hint, and may be missed. @returns a function that ends it
   */
  abstract watchStops(listener: StopListener): () => void;
}

import type { EncodedJob } from '../job/encode-job.js';
import type { Job } from '../job/job.js';
import type { EnqueueTarget } from './transactions.js';

/** Where a sweep has stopped. */
export interface KeyPosition {
  readonly kind: string;
  readonly key: string;
}

/** What one batch of a sweep has read and deleted. */
export interface SweptKeys {
  readonly read: number;
  readonly deleted: number;
  /** Where the rest begins; null at the end. */
  readonly reached: KeyPosition | null;
}

/**
 * Jobs that are one with others: by a unique key of their kind, or by their id. Every implementation passes
 * test/contract/unique.contract.ts.
 *
 * A job that was enqueued with a key holds it while `EncodedUnique.while` says so. A key whose job is gone, or does not hold
 * it any more, is free.
 */
export abstract class UniqueJobStore {
  /**
   * Writes jobs, all or none, as if one after another. What becomes of one whose key is held, or whose id exists, its
   * `onConflict` and its `ifExists` say.
   *
   * - It waits for other transactions that have enqueued the same key or id, until they have ended. What they made counts if
   *   they commit, and not if they roll back.
   * - A job that is joined or replaced, and has not begun, does not begin before this enqueue is committed.
   * - Of a conflict no transaction of the caller is undone. Where the caller's isolation does not let it see what others have
   *   committed since it began, the storage may refuse the enqueue.
   *
   * @returns for each of them the job that there is now, in the order given; `enqueued` says what happened
   * @throws DuplicateJobError
   */
  abstract enqueue(jobs: readonly EncodedJob[], target?: EnqueueTarget): Promise<Job[]>;

  /** Deletes keys that no job holds any more: of the thousand that come after a position. Waits for no lock. */
  abstract sweep(after: KeyPosition | null): Promise<SweptKeys>;
}

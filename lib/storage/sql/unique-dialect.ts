import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import type { KeyPosition, SweptKeys } from '../../queue/unique-job-store.js';
import type { Sql } from './sql.js';
import type { WantedKey } from './unique-plan.js';

/** Statements about unique jobs; see the methods of `UniqueJobStore`. */
export interface UniqueDialect {
  /**
   * @param isJoined whether `sql` is in a transaction of the caller's
   * @throws DuplicateIdError, DuplicateJobError
   */
  enqueue(sql: Sql, jobs: readonly EncodedJob[], isJoined: boolean): Promise<UniqueOutcome>;
  /**
   * Makes a job hold its key again, and runs `work` in the same transaction.
   *
   * @param work sends its first statement before it returns, through the `Sql` that it is given
   * @throws DuplicateJobError where another job holds the key
   */
  retake<T>(sql: Sql, wanted: WantedKey, isJoined: boolean, work: (sql: Sql) => Promise<T>): Promise<T>;
  sweep(sql: Sql, after: KeyPosition | null): Promise<SweptKeys>;
}

/** What an enqueue of unique jobs has done. */
export interface UniqueOutcome {
  /** For each job of the list, the one that there is now. */
  readonly answers: readonly Job[];
  /** Those that were made, as they were encoded and as they are stored. */
  readonly made: readonly EncodedJob[];
  readonly stored: readonly Job[];
  /** Others whose rows were locked, or that start at another time now. Claims may have passed over them. */
  readonly touched: readonly TouchedJob[];
}

/** A job that waits. */
export interface TouchedJob extends Pick<Job, 'id' | 'kind'> {
  /** In how many milliseconds it is due; 0 where it is. */
  readonly dueInMs: number;
}

/** How many keys one statement of a sweep looks at. */
export const SWEPT_AT_ONCE = 1000;

/** From what a statement has read, in order. */
export function sweptKeys(read: number, deleted: number, last: KeyPosition | null): SweptKeys {
  return { read, deleted, reached: read < SWEPT_AT_ONCE ? null : last };
}

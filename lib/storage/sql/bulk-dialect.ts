import type { JobStatus } from '../../job/job-state.js';
import type { JobStart } from '../../queue/job-editor.js';
import { decodeSeen, type SeenRow } from './edits-dialect.js';
import type { Row, Sql } from './sql.js';

/** A job with its id, as it was seen. */
export interface SeenJobRow extends SeenRow {
  readonly id: string;
}

/** A job that is to be made ready again. */
export interface Reopening extends JobStart {
  readonly seen: SeenJobRow;
  /** Those that it has from now on. */
  readonly settings: string | null;
}

/** Statements that change many jobs; see the methods of `JobEditor`. They take them in ascending order of id. */
export interface BulkDialect {
  /** Those of the jobs that exist. Locks nothing. */
  seeAll(sql: Sql, ids: readonly string[]): Promise<readonly SeenJobRow[]>;
  /**
   * Makes jobs ready again that are as they were seen, and passes over the others. Either all have a `runAtMs`, or none.
   *
   * @returns the ids of those that were
   */
  reopenAll(sql: Sql, jobs: readonly Reopening[], isJoined: boolean): Promise<readonly string[]>;
  /** Deletes jobs that have one of these statuses, and do not run. @returns how many */
  deleteAll(
    sql: Sql,
    ids: readonly string[],
    statuses: readonly JobStatus[],
    isJoined: boolean,
  ): Promise<number>;
}

/** From the columns that `seeAll` selects. */
export function decodeSeenJob(row: Row): SeenJobRow {
  return { ...decodeSeen(row)!, id: row.id as string };
}

import type { CancelledJob, JobChanges, JobStart } from '../../queue/job-editor.js';
import type { JobStatus } from '../../job/job-state.js';
import type { Row, Sql } from './sql.js';

/** What a change of a job depends on. */
export interface SeenRow {
  readonly status: JobStatus;
  /** Whether a worker holds the job. */
  readonly isHeld: boolean;
  readonly kind: string;
  readonly attemptsDone: number;
  /** JSON of `StoredSettings`. */
  readonly settings: string | null;
}

/** The settings that a job has from now on. */
export interface WrittenSettings {
  readonly settings: string | null;
  /** What it is found by from now on; null leaves that as it is. */
  readonly labels: readonly string[] | null;
}

/** Statements that change jobs; see the methods of `JobEditor`. They wait for rows that others have locked. */
export interface EditsDialect {
  /** Locks the row until the end of the transaction that `sql` is in, if it is in one. @returns null where there is none */
  see(sql: Sql, id: string): Promise<SeenRow | null>;
  /** @param ids in ascending order */
  cancel(
    sql: Sql,
    ids: readonly string[],
    reason: string | null,
    isJoined: boolean,
  ): Promise<readonly CancelledJob[]>;
  /**
   * Makes a job ready again that has ended.
   *
   * @param settings those that it has from now on
   * @returns whether it was as it had been seen; otherwise nothing was changed
   */
  reopen(
    sql: Sql,
    id: string,
    seen: SeenRow,
    settings: string | null,
    start: JobStart,
    isJoined: boolean,
  ): Promise<boolean>;
  /** Changes a job that waits; the same parameters. */
  rewrite(
    sql: Sql,
    id: string,
    seen: SeenRow,
    written: WrittenSettings,
    changes: JobChanges,
    isJoined: boolean,
  ): Promise<boolean>;
  /** @param force also where it is running @returns whether it was deleted */
  delete(sql: Sql, id: string, force: boolean, isJoined: boolean): Promise<boolean>;
}

/** From the columns that `see` selects. */
export function decodeSeen(row: Row | undefined): SeenRow | null {
  if (row === undefined) return null;
  return {
    status: row.status as JobStatus,
    isHeld: Boolean(Number(row.is_held)),
    kind: row.kind as string,
    attemptsDone: Number(row.attempts_done),
    settings: row.settings as string | null,
  };
}

/** Whether a job is still as it was seen. */
export function isAs(seen: SeenRow, now: SeenRow | null): boolean {
  return (
    now !== null &&
    now.status === seen.status &&
    now.isHeld === seen.isHeld &&
    now.attemptsDone === seen.attemptsDone &&
    now.settings === seen.settings
  );
}

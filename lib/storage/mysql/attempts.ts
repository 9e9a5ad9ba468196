import { ATTEMPTS_KEPT } from '../../job/job-attempt.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';
import { millisOf } from './columns.js';

/** An attempt that has just been written to the row of its job, by the worker that had it. */
export interface EndedAttempt {
  readonly id: string;
  readonly worker: string | null;
}

/** @returns a function that takes attempts of jobs whose rows the caller has locked */
export type RecordAttempts = (sql: Sql, ended: readonly EndedAttempt[]) => Promise<void>;

/** Records attempts whose outcomes have been settled. @param isDoneRecorded also those that succeeded */
export function recordSettled(table: JobsTable, isDoneRecorded: boolean): RecordAttempts {
  return recorder(table, insertSettled(table, isDoneRecorded ? '' : `AND status <> 'DONE'`));
}

/** Records attempts that lost their workers. */
export function recordCrashed(table: JobsTable): RecordAttempts {
  return recorder(table, insertCrashed(table));
}

function recorder(table: JobsTable, insert: string): RecordAttempts {
  const statements = { insert, long: longHistories(table.quoted), delete: deleteOutdated(table) };
  return async (sql, ended) => {
    for (const worker of new Set(ended.map((attempt) => attempt.worker))) {
      const ids = ended.filter((attempt) => attempt.worker === worker).map(({ id }) => id);
      await sql.query(statements.insert, [worker, ids]);
    }
    const long = await sql.query(statements.long, [ended.map(({ id }) => id)]);
    for (const { id, outdated } of long) await sql.query(statements.delete, [id, outdated]);
  };
}

const insertInto = (table: JobsTable) => `
  INSERT INTO ${sideTable(table, 'attempts').quoted}
    (job_id, attempt, worker, started_at, ended_at, outcome, error, next_at)`;

/* A row of the same number may be there where rows were written by hand, or where a count has reached its limit. */
const REPLACE = `
  ON DUPLICATE KEY UPDATE worker = VALUES(worker), started_at = VALUES(started_at), ended_at = VALUES(ended_at),
    outcome = VALUES(outcome), error = VALUES(error), next_at = VALUES(next_at)`;

/* Under READ COMMITTED, in which these run, the rows that are read are not locked once more. */
export const insertSettled = (table: JobsTable, condition: string) => `${insertInto(table)}
  SELECT id, attempts_done, ?, last_attempt_at, UTC_TIMESTAMP(6), IF(status = 'PENDING', 'retry', LOWER(status)),
    CASE status WHEN 'DONE' THEN NULL WHEN 'CANCELLED' THEN cancel_reason ELSE last_error END, IF(status = 'PENDING', run_at, NULL)
  FROM ${table.quoted} FORCE INDEX (PRIMARY) WHERE id IN (?) ${condition} ${REPLACE}`;

export const insertCrashed = (table: JobsTable) => `${insertInto(table)}
  SELECT id, attempts_done, ?, last_attempt_at, UTC_TIMESTAMP(6), 'crashed', last_error,
    IF(status = 'PENDING', GREATEST(run_at, UTC_TIMESTAMP(6)), NULL)
  FROM ${table.quoted} FORCE INDEX (PRIMARY) WHERE id IN (?) ${REPLACE}`;

export const longHistories = (table: string) => `
  SELECT id, attempts_done - ${ATTEMPTS_KEPT} AS outdated
  FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?) AND attempts_done > ${ATTEMPTS_KEPT}`;

export const deleteOutdated = (table: JobsTable) =>
  `DELETE FROM ${sideTable(table, 'attempts').quoted} WHERE job_id = ? AND attempt <= ?`;

export const selectAttempts = (table: JobsTable) => `
  SELECT attempt, worker, ${millisOf('started_at')} AS started_at, ${millisOf('ended_at')} AS ended_at, outcome, error,
    ${millisOf('next_at')} AS next_at
  FROM ${sideTable(table, 'attempts').quoted} WHERE job_id = ? ORDER BY attempt DESC LIMIT ${ATTEMPTS_KEPT}`;

import { ATTEMPTS_KEPT } from '../../job/job-attempt.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf } from './columns.js';
import type { QueryNow } from './connection.js';

/** An attempt that has just been written to the row of its job, by the worker that had it. */
export interface EndedAttempt {
  readonly id: string;
  readonly worker: string | null;
}

/** To be used in the transaction that has ended the attempts. */
export type RecordAttempts = (query: QueryNow, ended: readonly EndedAttempt[]) => void;

/** Records attempts whose outcomes have been settled. @param isDoneRecorded also those that succeeded */
export function recordSettled(table: JobsTable, isDoneRecorded: boolean): RecordAttempts {
  return recorder(table, insertSettled(table, isDoneRecorded ? 'true' : `job.status <> 'DONE'`));
}

/** Records attempts that lost their workers. */
export function recordCrashed(table: JobsTable): RecordAttempts {
  return recorder(table, insertCrashed(table));
}

function recorder(table: JobsTable, insert: string): RecordAttempts {
  const statements = { insert, delete: deleteOutdated(table) };
  return (query, ended) => {
    const list = JSON.stringify(ended);
    query(statements.insert, [list]);
    query(statements.delete, [list]);
  };
}

/* A row of the same number may be there where rows were written by hand, or where a count has reached its limit. */
const replaceIn = (table: JobsTable) => `
  INSERT OR REPLACE INTO ${sideTable(table, 'attempts').quoted}
    (job_id, attempt, worker, started_at, ended_at, outcome, error, next_at)`;

const endedJobs = (table: JobsTable) =>
  `json_each(?) AS ended CROSS JOIN ${table.quoted} AS job ON job.id = ended.value ->> 'id'`;

export const insertSettled = (table: JobsTable, condition: string) => `${replaceIn(table)}
  SELECT job.id, job.attempts_done, ended.value ->> 'worker', job.last_attempt_at, strftime('%Y-%m-%d %H:%M:%f', 'now'),
    CASE job.status WHEN 'PENDING' THEN 'retry' ELSE lower(job.status) END,
    CASE job.status WHEN 'DONE' THEN NULL WHEN 'CANCELLED' THEN job.cancel_reason ELSE job.last_error END,
    CASE job.status WHEN 'PENDING' THEN job.run_at END
  FROM ${endedJobs(table)} WHERE ${condition}`;

export const insertCrashed = (table: JobsTable) => `${replaceIn(table)}
  SELECT job.id, job.attempts_done, ended.value ->> 'worker', job.last_attempt_at, strftime('%Y-%m-%d %H:%M:%f', 'now'),
    'crashed', job.last_error,
    CASE job.status WHEN 'PENDING' THEN max(job.run_at, strftime('%Y-%m-%d %H:%M:%f', 'now')) END
  FROM ${endedJobs(table)}`;

export const deleteOutdated = (table: JobsTable) => {
  const attempts = sideTable(table, 'attempts').quoted;
  return `
  DELETE FROM ${attempts} WHERE rowid IN (
    SELECT old.rowid
    FROM ${endedJobs(table)}
    CROSS JOIN ${attempts} AS old ON old.job_id = job.id AND old.attempt <= job.attempts_done - ${ATTEMPTS_KEPT}
  )`;
};

export const selectAttempts = (table: JobsTable) => `
  SELECT attempt, worker, ${millisOf('started_at')} AS started_at, ${millisOf('ended_at')} AS ended_at, outcome, error,
    ${millisOf('next_at')} AS next_at
  FROM ${sideTable(table, 'attempts').quoted} WHERE job_id = ? ORDER BY attempt DESC LIMIT ${ATTEMPTS_KEPT}`;

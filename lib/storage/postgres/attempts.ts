import { ATTEMPTS_KEPT } from '../../job/job-attempt.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';

/**
 * Common table expressions that record the attempts of another one, `ended`, which has a row for each and the columns `id`,
 * `attempt`, `worker`, `started_at`, `outcome`, `error` and `next_at`. The statement has locked the rows of these jobs.
 *
 * A row of the same number may be there where rows were written by hand, or where a count has reached its limit. The old ones
 * are looked up one job after the other: for a plain join the planner might read the table as a whole.
 */
export const recordEnded = (table: JobsTable): string => {
  const attempts = sideTable(table, 'attempts').quoted;
  return `recorded AS (
    INSERT INTO ${attempts} (job_id, attempt, worker, started_at, ended_at, outcome, error, next_at)
    SELECT id, attempt, worker, started_at, statement_timestamp(), outcome, error, next_at FROM ended
    ON CONFLICT (job_id, attempt) DO UPDATE
    SET worker = excluded.worker, started_at = excluded.started_at, ended_at = excluded.ended_at,
        outcome = excluded.outcome, error = excluded.error, next_at = excluded.next_at
  ), outdated AS (
    DELETE FROM ${attempts} WHERE ctid = ANY (ARRAY(
      SELECT old.row_id
      FROM (SELECT id, attempt FROM ended WHERE attempt > ${ATTEMPTS_KEPT}) AS ended CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM ${attempts}
        WHERE job_id = ended.id AND attempt <= ended.attempt - ${ATTEMPTS_KEPT}
        ORDER BY attempt LIMIT ${ATTEMPTS_KEPT}
      ) AS old
    ))
  )`;
};

/* The comment keeps pgpool from asking a standby, which may be behind. */
export const selectAttempts = (table: JobsTable) => `/*NO LOAD BALANCE*/
  SELECT attempt, worker, date_part('epoch', started_at) * 1000 AS started_at, date_part('epoch', ended_at) * 1000 AS ended_at,
    outcome, error, date_part('epoch', next_at) * 1000 AS next_at
  FROM ${sideTable(table, 'attempts').quoted} WHERE job_id = $1 ORDER BY attempt DESC LIMIT ${ATTEMPTS_KEPT}`;

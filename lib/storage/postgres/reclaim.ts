import type { AttemptHistory } from '../../job/job-attempt.js';
import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeReclaimed } from '../sql/row.js';
import { MAX_COUNT, RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import { recordEnded } from './attempts.js';

export function reclaim(table: JobsTable, history: AttemptHistory): JobsDialect['reclaim'] {
  const statement = reclaimExpired(table);
  const isRecorded = history !== 'none';
  return async (sql, maxCrashes, held, own) => {
    const heldIds = held.map(({ id }) => id);
    const parameters = [maxCrashes, heldIds, own?.workerId ?? null, own?.lostIds ?? [], isRecorded];
    return (await sql.query(statement, parameters)).map(decodeReclaimed);
  };
}

/* A claim of the caller's own that was carried out late is given back. A job that was asked to end has ended. */
export const reclaimExpired = (table: JobsTable) => `
  WITH expired AS MATERIALIZED (
    SELECT id, locked_by, is_late, crashes + CASE WHEN is_late OR is_stopping OR crashes >= ${MAX_COUNT} THEN 0 ELSE 1 END AS crashes,
      CASE WHEN is_stopping THEN 'CANCELLED' WHEN alone AND NOT is_late AND crashes >= $1 - 1 THEN 'PANIC' ELSE 'PENDING' END AS status
    FROM (
      SELECT id, locked_by, alone, crashes, locked_by IS NOT DISTINCT FROM $3 AND NOT id = ANY ($4::varchar[]) AS is_late,
        cancel_requested_at IS NOT NULL AS is_stopping
      FROM ${table.quoted}
      WHERE status = 'PENDING' AND locked_by IS NOT NULL AND (locked_until < now()) IS NOT FALSE AND NOT id = ANY ($2::varchar[])
      ORDER BY id LIMIT ${RECLAIMED_AT_ONCE} FOR UPDATE SKIP LOCKED
    ) AS found
  ), taken AS (
    UPDATE ${table.quoted} AS job
    SET attempts_done = least(job.attempts_done, ${MAX_COUNT - 1}) + CASE WHEN expired.is_late THEN 0 ELSE 1 END,
        crashes = expired.crashes,
        last_attempt_at = CASE WHEN expired.is_late THEN job.last_attempt_at ELSE job.locked_at END,
        status = expired.status,
        last_error = CASE WHEN expired.is_late THEN job.last_error ELSE
          CASE WHEN expired.status = 'PANIC' THEN 'panic: ' ELSE '' END
          || 'the worker ' || expired.locked_by || ' stopped renewing the lease of this job: its last heartbeat was at '
          || to_char(coalesce(greatest(job.locked_at, job.heartbeat_at), job.updated_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          || ', the lease ran out at '
          || to_char(coalesce(job.locked_until, job.updated_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          || CASE WHEN job.alone THEN '; the job ran alone' ELSE '' END
          || CASE WHEN expired.status = 'CANCELLED' THEN '; it was to be cancelled'
               ELSE ' (crash ' || expired.crashes || ' of ' || $1::int4 || ')' END
        END,
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = now()
    FROM expired
    WHERE job.id = expired.id
    RETURNING job.id, job.kind, job.status, job.crashes, expired.locked_by, expired.is_late, job.attempts_done,
      job.last_attempt_at, job.last_error, job.run_at
  ), ended AS (
    SELECT id, attempts_done AS attempt, locked_by AS worker, last_attempt_at AS started_at, 'crashed' AS outcome,
      last_error AS error, CASE status WHEN 'PENDING' THEN greatest(run_at, now()) END AS next_at
    FROM taken WHERE $5::boolean AND NOT is_late
  ), ${recordEnded(table)}
  SELECT id, kind, status, crashes, locked_by FROM taken`;

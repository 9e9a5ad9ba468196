import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeReclaimed } from '../sql/row.js';
import { MAX_COUNT, RECLAIMED_AT_ONCE } from '../sql/row-limits.js';

export function reclaim(table: string): JobsDialect['reclaim'] {
  const statement = reclaimExpired(table);
  return async (sql, maxCrashes, held) => {
    const heldIds = held.map(({ id }) => id);
    return (await sql.query(statement, [maxCrashes, heldIds])).map(decodeReclaimed);
  };
}

export const reclaimExpired = (table: string) => `
  WITH expired AS MATERIALIZED (
    SELECT id, locked_by, least(crashes, ${MAX_COUNT - 1}) + 1 AS crashes, alone AND crashes >= $1 - 1 AS convicted
    FROM ${table}
    WHERE status = 'PENDING' AND locked_by IS NOT NULL AND (locked_until < now()) IS NOT FALSE AND NOT id = ANY ($2::varchar[])
    ORDER BY id LIMIT ${RECLAIMED_AT_ONCE} FOR UPDATE SKIP LOCKED
  )
  UPDATE ${table} AS job
  SET attempts_done = least(job.attempts_done, ${MAX_COUNT - 1}) + 1, crashes = expired.crashes, last_attempt_at = job.locked_at,
      status = CASE WHEN expired.convicted THEN 'PANIC' ELSE 'PENDING' END,
      last_error = CASE WHEN expired.convicted THEN 'panic: ' ELSE '' END
        || 'the worker ' || expired.locked_by || ' stopped renewing the lease of this job: its last heartbeat was at '
        || to_char(coalesce(greatest(job.locked_at, job.heartbeat_at), job.updated_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        || ', the lease ran out at '
        || to_char(coalesce(job.locked_until, job.updated_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        || CASE WHEN job.alone THEN '; the job ran alone' ELSE '' END
        || ' (crash ' || expired.crashes || ' of ' || $1::int4 || ')',
      locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = now()
  FROM expired
  WHERE job.id = expired.id
  RETURNING job.id, job.kind, job.status, job.crashes, expired.locked_by`;

import { nextTurn } from '../../async/turn.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeLease, decodeReclaimed } from '../sql/row.js';
import { MAX_COUNT, RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import { idsOf } from './parameters.js';

export function reclaim(table: string): JobsDialect['reclaim'] {
  const statements = { expired: expired(table), reclaim: reclaimExpired(table) };
  return async (sql, maxCrashes, held) => {
    const rows = await sql.query(statements.expired, [maxCrashes, idsOf(held)]);
    if (rows.length === 0) return [];
    // A handler of this process may have blocked it past the end of the lease: its outcome is written first.
    await nextTurn();
    const found = rows.map((row) => ({ ...decodeLease(row), status: row.status }));
    const written = await sql.query(statements.reclaim, [maxCrashes, JSON.stringify(found)]);
    const ids = new Set(written.map((row) => row.id));
    return rows.filter((row) => ids.has(row.id)).map(decodeReclaimed);
  };
}

export const expired = (table: string) => `
  SELECT id, kind, lease_token, locked_by, min(crashes, ${MAX_COUNT - 1}) + 1 AS crashes,
    CASE WHEN alone AND crashes >= ? - 1 THEN 'PANIC' ELSE 'PENDING' END AS status
  FROM ${table}
  WHERE status = 'PENDING' AND locked_by IS NOT NULL AND (locked_until < strftime('%Y-%m-%d %H:%M:%f', 'now')) IS NOT FALSE
    AND id NOT IN (SELECT value FROM json_each(?))
  ORDER BY id LIMIT ${RECLAIMED_AT_ONCE}`;

/* Only jobs whose leases are still as they were read: another process may have renewed one in between. */
export const reclaimExpired = (table: string) => `
  UPDATE ${table} AS job
  SET last_error = CASE WHEN expired.value ->> 'status' = 'PANIC' THEN 'panic: ' ELSE '' END
        || 'the worker ' || job.locked_by || ' stopped renewing the lease of this job: its last heartbeat was at '
        || strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(job.heartbeat_at, job.locked_at, job.updated_at))
        || ', the lease ran out at ' || strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(job.locked_until, job.updated_at))
        || CASE WHEN job.alone THEN '; the job ran alone' ELSE '' END
        || ' (crash ' || (job.crashes + 1) || ' of ' || CAST(? AS integer) || ')',
      status = expired.value ->> 'status', attempts_done = min(job.attempts_done, ${MAX_COUNT - 1}) + 1,
      crashes = min(job.crashes, ${MAX_COUNT - 1}) + 1,
      last_attempt_at = job.locked_at, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  FROM json_each(?) AS expired
  WHERE job.id = expired.value ->> 'id' AND job.lease_token = expired.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
    AND (job.locked_until < strftime('%Y-%m-%d %H:%M:%f', 'now')) IS NOT FALSE
  RETURNING id`;

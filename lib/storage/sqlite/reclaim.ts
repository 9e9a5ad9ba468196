import { nextTurn } from '../../async/turn.js';
import type { AttemptHistory } from '../../job/job-attempt.js';
import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeLease, decodeReclaimed } from '../sql/row.js';
import { MAX_COUNT, RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import { partLate } from '../sql/late-claims.js';
import { recordCrashed } from './attempts.js';
import { atOnce, type QueryNow } from './connection.js';
import { release } from './leases.js';
import { idsOf } from './parameters.js';

export function reclaim(jobs: JobsTable, history: AttemptHistory): JobsDialect['reclaim'] {
  const table = jobs.quoted;
  const statements = { expired: expired(table), reclaim: reclaimExpired(table), release: release(table) };
  const record = recordCrashed(jobs);
  return async (sql, maxCrashes, held, own) => {
    const rows = await sql.query(statements.expired, [maxCrashes, idsOf(held)]);
    if (rows.length === 0) return [];
    // A handler of this process may have blocked it past the end of the lease: its outcome is written first.
    await nextTurn();
    const [late, others] = partLate(rows, own);
    const leases = late.map((row) => ({ ...decodeLease(row), lockedBy: row.locked_by }));
    const released = late.length === 0 ? [] : await sql.query(statements.release, [JSON.stringify(leases)]);
    const found = others.map((row) => ({ ...decodeLease(row), status: row.status }));
    const workers = new Map(others.map(({ id, locked_by }) => [id, locked_by as string]));
    const takeBack = (query: QueryNow) => {
      const taken = query(statements.reclaim, [maxCrashes, JSON.stringify(found)]);
      if (history !== 'none')
        record(
          query,
          taken.map(({ id }) => ({ id: id as string, worker: workers.get(id)! })),
        );
      return taken;
    };
    const reclaimed = others.length === 0 ? [] : await atOnce(sql, takeBack);
    const statuses = new Map([...released, ...reclaimed].map(({ id, status }) => [id, status]));
    return [...late, ...others]
      .filter(({ id }) => statuses.has(id))
      .map((row) => decodeReclaimed({ ...row, status: statuses.get(row.id) }));
  };
}

export const expired = (table: string) => `
  SELECT id, kind, lease_token, locked_by,
    CASE WHEN cancel_requested_at IS NULL THEN min(crashes, ${MAX_COUNT - 1}) + 1 ELSE crashes END AS crashes,
    crashes AS crashes_before, cancel_requested_at IS NOT NULL AS is_stopping,
    CASE WHEN cancel_requested_at IS NOT NULL THEN 'CANCELLED' WHEN alone AND crashes >= ? - 1 THEN 'PANIC' ELSE 'PENDING' END
      AS status
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
        || CASE WHEN job.cancel_requested_at IS NOT NULL THEN '; it was to be cancelled'
             ELSE ' (crash ' || (job.crashes + 1) || ' of ' || CAST(? AS integer) || ')' END,
      status = CASE WHEN job.cancel_requested_at IS NULL THEN expired.value ->> 'status' ELSE 'CANCELLED' END, attempts_done = min(job.attempts_done, ${MAX_COUNT - 1}) + 1,
      crashes = CASE WHEN job.cancel_requested_at IS NULL THEN min(job.crashes, ${MAX_COUNT - 1}) + 1 ELSE job.crashes END,
      last_attempt_at = job.locked_at, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  FROM json_each(?) AS expired
  WHERE job.id = expired.value ->> 'id' AND job.lease_token = expired.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
    AND (job.locked_until < strftime('%Y-%m-%d %H:%M:%f', 'now')) IS NOT FALSE
  RETURNING id, status`;

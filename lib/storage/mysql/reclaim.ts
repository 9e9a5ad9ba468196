import type { AttemptHistory } from '../../job/job-attempt.js';
import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeReclaimed } from '../sql/row.js';
import { MAX_COUNT, RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import { partLate } from '../sql/late-claims.js';
import type { Row } from '../sql/sql.js';
import { recordCrashed, type EndedAttempt } from './attempts.js';
import { release } from './leases.js';
import { listOf } from './parameters.js';
import { inOwnTransaction } from './transaction.js';

export function reclaim(jobs: JobsTable, history: AttemptHistory): JobsDialect['reclaim'] {
  const table = jobs.quoted;
  const statements = {
    anyExpired: anyExpired(table),
    lockExpired: lockExpired(table),
    reclaim: reclaimLocked(table),
    release: release(table),
  };
  const record = recordCrashed(jobs);
  return async (sql, maxCrashes, held, own) => {
    if ((await sql.query(statements.anyExpired)).length === 0) return [];
    return inOwnTransaction(sql, async () => {
      const heldIds = listOf(held.map(({ id }) => id));
      const rows = await sql.query(statements.lockExpired, [maxCrashes, heldIds]);
      const [late, others] = partLate(rows, own);
      if (late.length > 0) await sql.query(statements.release, [late.map(({ id }) => id)]);
      const ids = others.map(({ id }) => id);
      if (ids.length > 0) {
        await sql.query(statements.reclaim, [maxCrashes, maxCrashes, maxCrashes, ids]);
        if (history !== 'none') await record(sql, others.map(endedAttempt));
      }
      return [...late, ...others].map(decodeReclaimed);
    });
  };
}

function endedAttempt({ id, locked_by }: Row): EndedAttempt {
  return { id: id as string, worker: locked_by as string };
}

export const anyExpired = (table: string) =>
  `SELECT 1 FROM ${table} WHERE running = 1 AND (locked_until < UTC_TIMESTAMP(6)) IS NOT FALSE LIMIT 1`;

/* What a job is that has lost its worker. One that was asked to end has ended. */
const statusAfter = `
    IF(cancel_requested_at IS NOT NULL, 'CANCELLED', IF(alone = 1 AND crashes >= ? - 1, 'PANIC', 'PENDING'))`;

export const lockExpired = (table: string) => `
  SELECT id, kind, locked_by, IF(cancel_requested_at IS NULL, LEAST(crashes, ${MAX_COUNT - 1}) + 1, crashes) AS crashes,
    ${statusAfter} AS status, crashes AS crashes_before, cancel_requested_at IS NOT NULL AS is_stopping
  FROM ${table}
  WHERE running = 1 AND (locked_until < UTC_TIMESTAMP(6)) IS NOT FALSE AND (id IN (?)) IS NOT TRUE
  ORDER BY id LIMIT ${RECLAIMED_AT_ONCE}
  FOR UPDATE SKIP LOCKED`;

export const reclaimLocked = (table: string) => `
  UPDATE ${table}
  SET last_error = CONCAT(IF(${statusAfter} = 'PANIC', 'panic: ', ''), 'the worker ', locked_by,
        ' stopped renewing the lease of this job: its last heartbeat was at ',
        LEFT(DATE_FORMAT(COALESCE(GREATEST(locked_at, COALESCE(heartbeat_at, locked_at)), updated_at), '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z',
        ', the lease ran out at ', LEFT(DATE_FORMAT(COALESCE(locked_until, updated_at), '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z',
        IF(alone = 1, '; the job ran alone', ''),
        IF(cancel_requested_at IS NULL, CONCAT(' (crash ', crashes + 1, ' of ', ?, ')'), '; it was to be cancelled')),
      status = ${statusAfter},
      attempts_done = LEAST(attempts_done, ${MAX_COUNT - 1}) + 1, crashes = IF(cancel_requested_at IS NULL, LEAST(crashes, ${MAX_COUNT - 1}) + 1, crashes), last_attempt_at = locked_at,
      locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0, updated_at = UTC_TIMESTAMP(6)
  WHERE id IN (?)`;

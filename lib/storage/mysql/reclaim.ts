import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeReclaimed } from '../sql/row.js';
import { MAX_COUNT, RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import { listOf } from './parameters.js';
import { inOwnTransaction } from './transaction.js';

export function reclaim(table: string): JobsDialect['reclaim'] {
  const statements = {
    anyExpired: anyExpired(table),
    lockExpired: lockExpired(table),
    reclaim: reclaimLocked(table),
  };
  return async (sql, maxCrashes, held) => {
    if ((await sql.query(statements.anyExpired)).length === 0) return [];
    return inOwnTransaction(sql, async () => {
      const heldIds = listOf(held.map(({ id }) => id));
      const rows = await sql.query(statements.lockExpired, [maxCrashes, heldIds]);
      const ids = rows.map((row) => row.id);
      if (ids.length > 0) await sql.query(statements.reclaim, [maxCrashes, maxCrashes, maxCrashes, ids]);
      return rows.map(decodeReclaimed);
    });
  };
}

export const anyExpired = (table: string) =>
  `SELECT 1 FROM ${table} WHERE running = 1 AND (locked_until < UTC_TIMESTAMP(6)) IS NOT FALSE LIMIT 1`;

export const lockExpired = (table: string) => `
  SELECT id, kind, locked_by, LEAST(crashes, ${MAX_COUNT - 1}) + 1 AS crashes,
    IF(alone = 1 AND crashes >= ? - 1, 'PANIC', 'PENDING') AS status
  FROM ${table}
  WHERE running = 1 AND (locked_until < UTC_TIMESTAMP(6)) IS NOT FALSE AND (id IN (?)) IS NOT TRUE
  ORDER BY id LIMIT ${RECLAIMED_AT_ONCE}
  FOR UPDATE SKIP LOCKED`;

export const reclaimLocked = (table: string) => `
  UPDATE ${table}
  SET last_error = CONCAT(IF(alone = 1 AND crashes >= ? - 1, 'panic: ', ''), 'the worker ', locked_by,
        ' stopped renewing the lease of this job: its last heartbeat was at ',
        LEFT(DATE_FORMAT(COALESCE(GREATEST(locked_at, COALESCE(heartbeat_at, locked_at)), updated_at), '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z',
        ', the lease ran out at ', LEFT(DATE_FORMAT(COALESCE(locked_until, updated_at), '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z',
        IF(alone = 1, '; the job ran alone', ''), ' (crash ', crashes + 1, ' of ', ?, ')'),
      status = IF(alone = 1 AND crashes >= ? - 1, 'PANIC', 'PENDING'),
      attempts_done = LEAST(attempts_done, ${MAX_COUNT - 1}) + 1, crashes = LEAST(crashes, ${MAX_COUNT - 1}) + 1, last_attempt_at = locked_at,
      locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0, updated_at = UTC_TIMESTAMP(6)
  WHERE id IN (?)`;

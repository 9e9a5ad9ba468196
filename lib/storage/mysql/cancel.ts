import { decodeCancelled } from '../sql/row.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';

/** To be called in a transaction: the rows that it finds stay locked until its end. */
export function cancel(table: string): JobsDialect['cancel'] {
  const statements = { lock: lockOpen(table), cancel: cancelLocked(table) };
  return async (sql, ids, reason) => {
    const rows = await sql.query(statements.lock, [ids]);
    if (rows.length > 0) await sql.query(statements.cancel, [reason, rows.map(({ id }) => id)]);
    return rows.map(decodeCancelled);
  };
}

/** What a statement does with a row that others have locked. */
type Lock = 'FOR UPDATE' | 'FOR UPDATE SKIP LOCKED';

export const lockOpen = (table: string, lock: Lock = 'FOR UPDATE SKIP LOCKED') => `
  SELECT id, kind, locked_by IS NOT NULL AS is_running FROM ${table} FORCE INDEX (PRIMARY)
  WHERE id IN (?) AND status = 'PENDING'
  ORDER BY id
  ${lock}`;

/* A job that waits has ended with this. One that runs keeps its lease; its worker is asked to stop it. */
export const cancelLocked = (table: string) => `
  UPDATE ${table}
  SET status = IF(locked_by IS NULL, 'CANCELLED', status),
      cancel_requested_at = COALESCE(cancel_requested_at, UTC_TIMESTAMP(6)),
      cancel_reason = COALESCE(cancel_reason, ?), updated_at = UTC_TIMESTAMP(6)
  WHERE id IN (?)`;

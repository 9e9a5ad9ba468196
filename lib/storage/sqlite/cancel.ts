import { decodeCancelled } from '../sql/row.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';

export function cancel(table: string): JobsDialect['cancel'] {
  const statement = cancelOpen(table);
  return async (sql, ids, reason) =>
    (await sql.query(statement, [reason, JSON.stringify(ids)])).map(decodeCancelled);
}

/* A job that waits has ended with this. One that runs keeps its lease; its worker is asked to stop it. */
export const cancelOpen = (table: string) => `
  UPDATE ${table}
  SET status = CASE WHEN locked_by IS NULL THEN 'CANCELLED' ELSE status END,
      cancel_requested_at = coalesce(cancel_requested_at, strftime('%Y-%m-%d %H:%M:%f', 'now')),
      cancel_reason = coalesce(cancel_reason, ?), updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE id IN (SELECT value FROM json_each(?)) AND status = 'PENDING'
  RETURNING id, kind, locked_by IS NOT NULL AS is_running`;

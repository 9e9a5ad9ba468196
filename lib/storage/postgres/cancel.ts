import { decodeCancelled } from '../sql/row.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';

import { textArray } from './arrays.js';

export function cancel(table: string): JobsDialect['cancel'] {
  const statement = cancelOpen(table);
  return async (sql, ids, reason) =>
    (await sql.query(statement, [textArray(ids), reason])).map(decodeCancelled);
}

/** What a statement does with a row that others have locked. */
type Lock = 'FOR UPDATE' | 'FOR UPDATE SKIP LOCKED';

/* A job that waits has ended with this. One that runs keeps its lease; its worker is asked to stop it. */
export const cancelOpen = (table: string, lock: Lock = 'FOR UPDATE SKIP LOCKED') => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids
  ), open AS MATERIALIZED (
    SELECT job.id, job.locked_by IS NOT NULL AS is_running
    FROM sent, unnest(sent.ids) AS given(id)
    CROSS JOIN LATERAL (
      SELECT id, locked_by FROM ${table} WHERE id = given.id AND status = 'PENDING' ${lock}
    ) AS job
  )
  UPDATE ${table} AS job
  SET status = CASE WHEN open.is_running THEN 'PENDING' ELSE 'CANCELLED' END,
      cancel_requested_at = coalesce(job.cancel_requested_at, now()),
      cancel_reason = coalesce(job.cancel_reason, $2), updated_at = now()
  FROM open
  WHERE job.id = open.id
  RETURNING job.id, job.kind, open.is_running`;

import { decodeCancelled } from '../sql/row.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeSeen, type EditsDialect } from '../sql/edits-dialect.js';
import { textArray } from './arrays.js';
import { forgetDeleted } from './forget.js';
import { cancelOpen } from './cancel.js';
import { instantOf } from './parameters.js';
import { rewriter } from './rewrite.js';
import type { PostgresServer } from './server.js';

export function edits(table: JobsTable, server: PostgresServer): EditsDialect {
  const { quoted } = table;
  const statements = {
    see: see(quoted),
    cancel: cancelOpen(quoted, 'FOR UPDATE'),
    reopen: reopen(quoted),
    delete: deleteOne(table),
  };
  return {
    see: async (sql, id) => decodeSeen((await sql.query(statements.see, [id]))[0]),

    cancel: async (sql, ids, reason) =>
      (await sql.query(statements.cancel, [textArray(ids), reason])).map(decodeCancelled),

    async reopen(sql, id, seen, settings, { runAtMs, delayMs }) {
      const { status, attemptsDone, settings: seenSettings } = seen;
      const runAt = runAtMs === null ? null : instantOf(new Date(runAtMs));
      const parameters = [id, status, attemptsDone, seenSettings, settings, runAt, delayMs];
      return (await sql.query(statements.reopen, parameters)).length > 0;
    },

    rewrite: rewriter(table, server),

    delete: async (sql, id, force) => (await sql.query(statements.delete, [id, force])).length > 0,
  };
}

/* The comment keeps pgpool from asking a standby, which may be behind. */
export const see = (table: string) => `/*NO LOAD BALANCE*/
  SELECT kind, status, locked_by IS NOT NULL AS is_held, attempts_done, settings::text AS settings
  FROM ${table} WHERE id = $1 FOR UPDATE`;

export const reopen = (table: string) => `
  UPDATE ${table}
  SET status = 'PENDING', run_at = start.run_at, due = start.run_at <= statement_timestamp(), crashes = 0,
      settings = $5::json, progress = NULL, cancel_requested_at = NULL, cancel_reason = NULL, updated_at = now()
  FROM (SELECT coalesce($6::timestamptz, statement_timestamp() + $7::float8 * interval '1 millisecond') AS run_at) AS start
  WHERE id = $1 AND status = $2 AND attempts_done = $3 AND settings::text IS NOT DISTINCT FROM $4::text
  RETURNING id`;

export const deleteOne = (table: JobsTable) => `
  WITH deleted AS (
    DELETE FROM ${table.quoted} WHERE id = $1 AND ($2 OR status <> 'PENDING' OR locked_by IS NULL) RETURNING id
  ), ${forgetDeleted(table)}
  SELECT id FROM deleted`;

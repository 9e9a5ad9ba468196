import type { JobsTable } from '../sql/dialect.js';
import { decodeSeen, type EditsDialect } from '../sql/edits-dialect.js';
import { decodeCancelled } from '../sql/row.js';
import { cancelOpen } from './cancel.js';
import { forgetJobs } from './forget.js';
import { bindStart, NOW, rewriter, START } from './rewrite.js';

/** Each of these is one statement, or one transaction, which nothing comes between. */
export function edits(table: JobsTable): EditsDialect {
  const { quoted } = table;
  const statements = {
    see: see(quoted),
    cancel: cancelOpen(quoted),
    reopen: reopen(quoted),
    delete: deleteOne(quoted),
  };
  const forget = forgetJobs(table);
  return {
    see: async (sql, id) => decodeSeen((await sql.query(statements.see, [id]))[0]),

    cancel: async (sql, ids, reason) =>
      (await sql.query(statements.cancel, [reason, JSON.stringify(ids)])).map(decodeCancelled),

    async reopen(sql, id, seen, settings, start) {
      const as = [id, seen.status, seen.attemptsDone, seen.settings];
      const parameters = [...bindStart(start), ...bindStart(start), settings, ...as];
      return (await sql.query(statements.reopen, parameters)).length > 0;
    },

    rewrite: rewriter(table),

    async delete(sql, id, force) {
      const isDeleted = (await sql.query(statements.delete, [id, Number(force)])).length > 0;
      if (isDeleted) await forget(sql, JSON.stringify([id]));
      return isDeleted;
    },
  };
}

export const see = (table: string) =>
  `SELECT kind, status, locked_by IS NOT NULL AS is_held, attempts_done, settings FROM ${table} WHERE id = ?`;

export const reopen = (table: string) => `
  UPDATE ${table}
  SET status = 'PENDING', run_at = ${START}, due = ${START} <= ${NOW}, crashes = 0,
      settings = ?, progress = NULL, cancel_requested_at = NULL, cancel_reason = NULL, updated_at = ${NOW}
  WHERE id = ? AND status = ? AND attempts_done = ? AND settings IS ?
  RETURNING id`;

export const deleteOne = (table: string) => `
  DELETE FROM ${table} WHERE id = ? AND (? OR status <> 'PENDING' OR locked_by IS NULL) RETURNING id`;

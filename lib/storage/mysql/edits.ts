import type { JobsTable } from '../sql/dialect.js';
import { decodeSeen, isAs, type EditsDialect } from '../sql/edits-dialect.js';
import { decodeCancelled } from '../sql/row.js';
import type { Sql } from '../sql/sql.js';
import { cancelLocked, lockOpen } from './cancel.js';
import { jobsDeleter } from './delete-jobs.js';
import { bindStart, rewriter, START } from './rewrite.js';
import type { MysqlServer } from './server.js';
import { inOwnTransaction } from './transaction.js';

/** An UPDATE returns no rows here: so each of these locks the row, looks at it, and then writes it by its primary key. */
export function edits(table: JobsTable, server: MysqlServer): EditsDialect {
  const { quoted } = table;
  const statements = {
    see: see(quoted),
    lock: lockOpen(quoted, 'FOR UPDATE'),
    cancel: cancelLocked(quoted),
    reopen: reopen(quoted),
  };
  const deleteJobs = jobsDeleter(table, server);
  const write = rewriter(table);
  const lookAt = async (sql: Sql, id: string) => decodeSeen((await sql.query(statements.see, [id]))[0]);
  const within = <T>(sql: Sql, isJoined: boolean, work: () => Promise<T>) =>
    isJoined ? work() : inOwnTransaction(sql, work);
  return {
    see: lookAt,

    cancel: (sql, ids, reason, isJoined) =>
      within(sql, isJoined, async () => {
        const rows = await sql.query(statements.lock, [ids]);
        if (rows.length > 0) await sql.query(statements.cancel, [reason, rows.map(({ id }) => id)]);
        return rows.map(decodeCancelled);
      }),

    reopen: (sql, id, seen, settings, start, isJoined) =>
      within(sql, isJoined, async () => {
        if (!isAs(seen, await lookAt(sql, id))) return false;
        await sql.query(statements.reopen, [...bindStart(start), ...bindStart(start), settings, id]);
        return true;
      }),

    rewrite: (sql, id, seen, written, changes, isJoined) =>
      within(sql, isJoined, async () => {
        if (!isAs(seen, await lookAt(sql, id))) return false;
        await write(sql, id, written, changes);
        return true;
      }),

    delete: (sql, id, force, isJoined) =>
      within(sql, isJoined, async () => {
        const seen = await lookAt(sql, id);
        if (seen === null || (!force && seen.status === 'PENDING' && seen.isHeld)) return false;
        await deleteJobs(sql, [id]);
        return true;
      }),
  };
}

export const see = (table: string) => `
  SELECT kind, status, locked_by IS NOT NULL AS is_held, attempts_done, settings
  FROM ${table} WHERE id = ? FOR UPDATE`;

export const reopen = (table: string) => `
  UPDATE ${table}
  SET status = 'PENDING', run_at = ${START}, due = ${START} <= UTC_TIMESTAMP(6), crashes = 0,
      settings = ?, progress = NULL, cancel_requested_at = NULL, cancel_reason = NULL, updated_at = UTC_TIMESTAMP(6)
  WHERE id = ?`;

import { DUE_AT_ONCE } from '../sql/row-limits.js';
import type { Sql } from '../sql/sql.js';
import { inOwnTransaction } from './transaction.js';

/** Marks scheduled jobs due whose time has come. @returns how many; `DUE_AT_ONCE` if there may be more */
export function dueMarker(table: string): (sql: Sql) => Promise<number> {
  const statements = { lockScheduled: lockScheduled(table), markDue: markDue(table) };
  return (sql) =>
    inOwnTransaction(sql, async () => {
      const rows = await sql.query(statements.lockScheduled);
      if (rows.length > 0) await sql.query(statements.markDue, [rows.map((row) => row.id)]);
      return rows.length;
    });
}

export const lockScheduled = (table: string) => `
  SELECT id FROM ${table}
  WHERE scheduled_at <= UTC_TIMESTAMP(6)
  ORDER BY scheduled_at LIMIT ${DUE_AT_ONCE}
  FOR UPDATE SKIP LOCKED`;

export const markDue = (table: string) => `UPDATE ${table} SET due = 1 WHERE id IN (?)`;

import type { LockTest } from '../sql/dialect.js';
import { inOwnTransaction } from './transaction.js';

/** @param server what it says of itself */
export function lockTest(table: string, server: string): LockTest {
  const [insert, lock, remove] = [insertSettled(table), lockRow(table), deleteRow(table)];
  return {
    server,
    insert: (sql, id) => sql.query(insert, [id]),
    whileLocked: (sql, id, work) =>
      inOwnTransaction(sql, async () => {
        await sql.query(lock, [id]);
        return work();
      }),
    canLock: async (sql, id) => (await sql.query(lock, [id])).length > 0,
    delete: (sql, id) => sql.query(remove, [id]),
  };
}

export const insertSettled = (table: string) => `
  INSERT INTO ${table} (id, kind, status, run_at, created_at, updated_at)
  VALUES (?, 'self-test', 'DONE', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))`;

export const lockRow = (table: string) => `SELECT id FROM ${table} WHERE id = ? FOR UPDATE SKIP LOCKED`;

export const deleteRow = (table: string) => `DELETE FROM ${table} WHERE id = ?`;

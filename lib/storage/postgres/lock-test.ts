import type { LockTest } from '../sql/dialect.js';
import { inTransaction } from '../sql/sql.js';

/** @param server what it says of itself */
export function lockTest(table: string, server: string): LockTest {
  const [insert, lock, remove] = [insertSettled(table), lockRow(table), deleteRow(table)];
  return {
    server,
    insert: (sql, id) => sql.query(insert, [id]),
    whileLocked: (sql, id, work) =>
      inTransaction(sql, ['BEGIN'], async () => {
        await sql.query(lock, [id]);
        return work();
      }),
    canLock: async (sql, id) => (await sql.query(lock, [id])).length > 0,
    delete: (sql, id) => sql.query(remove, [id]),
  };
}

export const insertSettled = (table: string) => `
  INSERT INTO ${table} (id, kind, status, run_at, created_at, updated_at)
  VALUES ($1, 'self-test', 'DONE', now(), now(), now())`;

export const lockRow = (table: string) => `SELECT id FROM ${table} WHERE id = $1 FOR UPDATE SKIP LOCKED`;

export const deleteRow = (table: string) => `DELETE FROM ${table} WHERE id = $1`;

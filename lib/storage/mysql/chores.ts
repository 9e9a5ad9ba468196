import { takenChore, type ChoresDialect } from '../sql/retention-dialect.js';
import { inOwnTransaction } from './transaction.js';

export function chores(table: string): ChoresDialect {
  const statements = {
    all: allChores(table),
    add: addChore(table),
    lock: lockChore(table),
    take: takeChore(table),
    giveBack: giveBackChore(table),
  };
  return {
    due: async (sql, names) => {
      const rows = await sql.query(statements.all, [names]);
      const taken = new Set(rows.filter((row) => Number(row.is_due) === 0).map(({ name }) => name));
      const known = rows.map(({ name }) => name as string);
      const unknown = names.filter((name) => !known.includes(name));
      return [...unknown, ...known.filter((name) => !taken.has(name))];
    },
    take: (sql, name, holder, holdMs) =>
      inOwnTransaction(sql, async () => {
        let [row] = await sql.query(statements.lock, [name]);
        if (row === undefined) {
          await sql.query(statements.add, [name]);
          [row] = await sql.query(statements.lock, [name]);
        }
        if (row === undefined || Number(row.is_due) === 0) return null;
        await sql.query(statements.take, [holder, holdMs * 1000, name]);
        return takenChore(row);
      }),
    giveBack: async (sql, name, holder, { dueInMs, reached }) => {
      await sql.query(statements.giveBack, [reached, dueInMs * 1000, name, holder]);
    },
  };
}

const IS_DUE = `(held_until < UTC_TIMESTAMP(6)) IS NOT FALSE AND (due_at <= UTC_TIMESTAMP(6)) IS NOT FALSE`;

export const allChores = (table: string) =>
  `SELECT name, ${IS_DUE} AS is_due FROM ${table} WHERE name IN (?) ORDER BY due_at`;

/* A chore that has never been done has no row. Two workers may add one at the same time. */
export const addChore = (table: string) => `INSERT IGNORE INTO ${table} (name) VALUES (?)`;

export const lockChore = (table: string) => `
  SELECT reached, ${IS_DUE} AS is_due, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000 AS now
  FROM ${table} WHERE name = ? FOR UPDATE SKIP LOCKED`;

export const takeChore = (table: string) =>
  `UPDATE ${table} SET held_by = ?, held_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE name = ?`;

export const giveBackChore = (table: string) => `
  UPDATE ${table}
  SET held_by = NULL, held_until = NULL, reached = ?, done_at = UTC_TIMESTAMP(6),
      due_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
  WHERE name = ? AND held_by = ?`;

import { takenChore, type ChoresDialect } from '../sql/retention-dialect.js';

export function chores(table: string): ChoresDialect {
  const statements = { due: dueChores(table), take: takeChore(table), giveBack: giveBackChore(table) };
  return {
    due: async (sql, names) =>
      (await sql.query(statements.due, [JSON.stringify(names)])).map(({ name }) => name as string),
    take: async (sql, name, holder, holdMs) => {
      const [row] = await sql.query(statements.take, [name, holder, holdMs / 1000]);
      return row === undefined ? null : takenChore(row);
    },
    giveBack: async (sql, name, holder, { dueInMs, reached }) => {
      await sql.query(statements.giveBack, [reached, dueInMs / 1000, name, holder]);
    },
  };
}

/* A chore without a row has never been done. */
export const dueChores = (table: string) => `
  SELECT wanted.value AS name
  FROM json_each(?) AS wanted LEFT JOIN ${table} AS chore ON chore.name = wanted.value
  WHERE (chore.held_until < strftime('%Y-%m-%d %H:%M:%f', 'now')) IS NOT FALSE
    AND (chore.due_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')) IS NOT FALSE
  ORDER BY chore.due_at NULLS FIRST, wanted.key`;

export const takeChore = (table: string) => `
  INSERT INTO ${table} AS chore (name, held_by, held_until)
  VALUES (?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds'))
  ON CONFLICT (name) DO UPDATE SET held_by = excluded.held_by, held_until = excluded.held_until
  WHERE (chore.held_until < strftime('%Y-%m-%d %H:%M:%f', 'now')) IS NOT FALSE
    AND (chore.due_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')) IS NOT FALSE
  RETURNING reached, unixepoch('now', 'subsec') * 1000 AS now`;

export const giveBackChore = (table: string) => `
  UPDATE ${table}
  SET held_by = NULL, held_until = NULL, reached = ?, done_at = strftime('%Y-%m-%d %H:%M:%f', 'now'),
      due_at = strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds')
  WHERE name = ? AND held_by = ?`;

import { takenChore, type ChoresDialect } from '../sql/retention-dialect.js';

export function chores(table: string): ChoresDialect {
  const statements = { due: dueChores(table), take: takeChore(table), giveBack: giveBackChore(table) };
  return {
    due: async (sql, names) => (await sql.query(statements.due, [names])).map(({ name }) => name as string),
    take: async (sql, name, holder, holdMs) => {
      const [row] = await sql.query(statements.take, [name, holder, holdMs]);
      return row === undefined ? null : takenChore(row);
    },
    giveBack: async (sql, name, holder, { dueInMs, reached }) => {
      await sql.query(statements.giveBack, [name, holder, dueInMs, reached]);
    },
  };
}

/* A chore without a row has never been done. The comment keeps pgpool from asking a standby. */
export const dueChores = (table: string) => `/*NO LOAD BALANCE*/
  SELECT wanted.name
  FROM unnest($1::text[]) WITH ORDINALITY AS wanted(name, place) LEFT JOIN ${table} AS chore ON chore.name = wanted.name
  WHERE (chore.held_until < now()) IS NOT FALSE AND (chore.due_at <= now()) IS NOT FALSE
  ORDER BY chore.due_at NULLS FIRST, wanted.place`;

/* A row that another worker is just taking is waited for, for as long as that one statement takes. */
export const takeChore = (table: string) => `
  INSERT INTO ${table} AS chore (name, held_by, held_until)
  VALUES ($1, $2, now() + $3::float8 * interval '1 millisecond')
  ON CONFLICT (name) DO UPDATE SET held_by = excluded.held_by, held_until = excluded.held_until
  WHERE (chore.held_until < now()) IS NOT FALSE AND (chore.due_at <= now()) IS NOT FALSE
  RETURNING reached, extract(epoch FROM now())::float8 * 1000 AS now`;

export const giveBackChore = (table: string) => `
  UPDATE ${table}
  SET held_by = NULL, held_until = NULL, reached = $4, done_at = now(),
      due_at = now() + $3::float8 * interval '1 millisecond'
  WHERE name = $1 AND held_by = $2`;

import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';

const BESIDE = ['attempts', 'logs', 'labels'] as const;

/**
 * Deletes what is stored beside jobs. Each write is a transaction of its own here, and most jobs have nothing beside them:
 * so it looks first.
 *
 * @returns a function that takes ids as JSON
 */
export function forgetJobs(table: JobsTable): (sql: Sql, ids: string) => Promise<void> {
  const quoted = BESIDE.map((suffix) => sideTable(table, suffix).quoted);
  const statements = { find: findBeside(quoted), deletes: quoted.map(deleteBeside) };
  return async (sql, ids) => {
    const [found] = await sql.query(statements.find, [ids]);
    for (const [place, statement] of statements.deletes.entries())
      if (Number(found![`in_${place}`]) === 1) await sql.query(statement, [ids]);
  };
}

const findBeside = (tables: readonly string[]) => {
  const isIn = (table: string, place: number) =>
    `EXISTS (SELECT 1 FROM sent CROSS JOIN ${table} AS beside ON beside.job_id = sent.id) AS in_${place}`;
  return `WITH sent AS MATERIALIZED (SELECT value AS id FROM json_each(?)) SELECT ${tables.map(isIn).join(', ')}`;
};

const deleteBeside = (table: string) =>
  `DELETE FROM ${table} WHERE job_id IN (SELECT value FROM json_each(?))`;

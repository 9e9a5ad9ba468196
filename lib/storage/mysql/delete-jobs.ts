import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';
import type { MysqlServer } from './server.js';

/**
 * Deletes jobs whose rows the caller has locked, with what is stored beside them.
 *
 * @returns a function that takes the ids, at least one
 */
export function jobsDeleter(
  table: JobsTable,
  { updatesByJoin }: MysqlServer,
): (sql: Sql, ids: readonly string[]) => Promise<void> {
  const labels = sideTable(table, 'labels');
  const parts: readonly [quoted: string, column: string, index: string][] = [
    [sideTable(table, 'attempts').quoted, 'job_id', 'PRIMARY'],
    [sideTable(table, 'logs').quoted, 'job_id', 'PRIMARY'],
    [labels.quoted, 'job_id', `\`${labels.name}_job\``],
    [table.quoted, 'id', 'PRIMARY'],
  ];
  const deletion = updatesByJoin ? deleteByJoin : deleteByList;
  const statements = parts.map(([quoted, column, index]) => deletion(quoted, column, index));
  return async (sql, ids) => {
    const list = updatesByJoin ? JSON.stringify(ids) : ids;
    for (const statement of statements) await sql.query(statement, [list]);
  };
}

/*
 * The planner would rather read a small table as a whole, and wait for the rows that others have locked in it. MariaDB
 * takes no notice of an index that is named where the rows are given by a list.
 */
export const deleteByJoin = (table: string, column: string, index: string) => `
  DELETE job FROM JSON_TABLE(?, '$[*]' COLUMNS (
    id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$'
  )) AS gone
  STRAIGHT_JOIN ${table} AS job FORCE INDEX (${index}) ON job.${column} = gone.id`;

/* For a server with sql_safe_updates, which refuses to read a table as a whole, and joins. */
export const deleteByList = (table: string, column: string) => `DELETE FROM ${table} WHERE ${column} IN (?)`;

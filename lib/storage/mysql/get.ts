import { JOB_COLUMNS } from '../sql/columns.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeJob } from '../sql/row.js';
import { millisOf, select } from './columns.js';

export function get(table: string): JobsDialect['get'] {
  const statement = selectJob(table);
  return async (sql, id) => {
    const [row] = await sql.query(statement, [id]);
    return row === undefined ? null : decodeJob(row);
  };
}

export const selectJob = (table: string) =>
  `SELECT ${select(JOB_COLUMNS)}, ${millisOf('UTC_TIMESTAMP(6)')} AS now FROM ${table} WHERE id = ?`;

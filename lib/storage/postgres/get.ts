import { JOB_COLUMNS } from '../sql/columns.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeJob } from '../sql/row.js';
import { select } from './columns.js';

export function get(table: string): JobsDialect['get'] {
  const statement = selectJob(table);
  return async (sql, id) => {
    const [row] = await sql.query(statement, [id]);
    return row === undefined ? null : decodeJob(row);
  };
}

/* The comment keeps pgpool from asking a standby, which may be behind. */
export const selectJob = (table: string) =>
  `/*NO LOAD BALANCE*/ SELECT ${select(JOB_COLUMNS)}, date_part('epoch', statement_timestamp()) * 1000 AS now FROM ${table} WHERE id = $1`;

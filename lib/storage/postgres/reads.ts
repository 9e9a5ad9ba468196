import type { JobStatus } from '../../job/job-state.js';
import { JOB_COLUMNS } from '../sql/columns.js';
import { decodeFailure, FAILURE_COLUMNS, type ReadsDialect } from '../sql/reads-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeAttempt, decodeJob } from '../sql/row.js';
import { selectAttempts } from './attempts.js';
import { textArray } from './arrays.js';
import { select } from './columns.js';

export function reads(table: JobsTable): ReadsDialect {
  const statements = {
    statuses: statuses(table.quoted),
    all: selectJobs(table.quoted),
    failures: selectFailures(table.quoted),
    attempts: selectAttempts(table),
  };
  return {
    statuses: async (sql, ids) => {
      const rows = await sql.query(statements.statuses, [textArray(ids)]);
      return new Map(rows.map(({ id, status }) => [id as string, status as JobStatus]));
    },
    all: async (sql, ids) => (await sql.query(statements.all, [textArray(ids)])).map(decodeJob),
    failures: async (sql, ids) => (await sql.query(statements.failures, [textArray(ids)])).map(decodeFailure),
    attempts: async (sql, id) => (await sql.query(statements.attempts, [id])).map(decodeAttempt),
  };
}

/* The comment keeps pgpool from asking a standby, which may be behind. */
export const statuses = (table: string) =>
  `/*NO LOAD BALANCE*/ SELECT id, status FROM ${table} WHERE id = ANY ($1::varchar[])`;

export const selectJobs = (table: string) => `/*NO LOAD BALANCE*/
  SELECT ${select(JOB_COLUMNS)}, date_part('epoch', statement_timestamp()) * 1000 AS now
  FROM ${table} WHERE id = ANY ($1::varchar[])`;

export const selectFailures = (table: string) => `/*NO LOAD BALANCE*/
  SELECT ${select(FAILURE_COLUMNS)} FROM ${table} WHERE id = ANY ($1::varchar[])`;

import { JOB_COLUMNS, SUMMARY_COLUMNS } from '../sql/columns.js';
import { readsDialect } from '../sql/read-statements.js';
import { FAILURE_COLUMNS, type ReadsDialect } from '../sql/reads-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { selectAttempts } from './attempts.js';
import { textArray } from './arrays.js';
import { select } from './columns.js';

export function reads(table: JobsTable): ReadsDialect {
  const statements = {
    statuses: statuses(table.quoted),
    all: selectJobs(table.quoted),
    summaries: selectSummaries(table.quoted),
    failures: selectFailures(table.quoted),
    attempts: selectAttempts(table),
  };
  return readsDialect(statements, textArray);
}

/* The comment keeps pgpool from asking a standby, which may be behind. */
const statuses = (table: string) =>
  `/*NO LOAD BALANCE*/ SELECT id, status FROM ${table} WHERE id = ANY ($1::varchar[])`;

export const selectJobs = (table: string) => `/*NO LOAD BALANCE*/
  SELECT ${select(JOB_COLUMNS)}, date_part('epoch', statement_timestamp()) * 1000 AS now
  FROM ${table} WHERE id = ANY ($1::varchar[])`;

const selectSummaries = (table: string) => `/*NO LOAD BALANCE*/
  SELECT ${select(SUMMARY_COLUMNS)}, date_part('epoch', statement_timestamp()) * 1000 AS now
  FROM ${table} WHERE id = ANY ($1::varchar[])`;

const selectFailures = (table: string) => `/*NO LOAD BALANCE*/
  SELECT ${select(FAILURE_COLUMNS)} FROM ${table} WHERE id = ANY ($1::varchar[])`;

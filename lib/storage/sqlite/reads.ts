import { JOB_COLUMNS, SUMMARY_COLUMNS } from '../sql/columns.js';
import { readsDialect } from '../sql/read-statements.js';
import { FAILURE_COLUMNS, type ReadsDialect } from '../sql/reads-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { selectAttempts } from './attempts.js';
import { millisOf, select } from './columns.js';

export function reads(table: JobsTable): ReadsDialect {
  const statements = {
    statuses: statuses(table.quoted),
    all: selectJobs(table.quoted),
    summaries: selectSummaries(table.quoted),
    failures: selectFailures(table.quoted),
    attempts: selectAttempts(table),
  };
  return readsDialect(statements, (ids) => JSON.stringify(ids));
}

const statuses = (table: string) =>
  `SELECT id, status FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`;

export const selectJobs = (table: string) => `
  SELECT ${select(JOB_COLUMNS)}, ${millisOf(`'now'`)} AS now
  FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`;

const selectSummaries = (table: string) => `
  SELECT ${select(SUMMARY_COLUMNS)}, ${millisOf(`'now'`)} AS now
  FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`;

const selectFailures = (table: string) =>
  `SELECT ${select(FAILURE_COLUMNS)} FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`;

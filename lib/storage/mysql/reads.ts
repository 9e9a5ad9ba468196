import { JOB_COLUMNS, SUMMARY_COLUMNS } from '../sql/columns.js';
import { readsDialect } from '../sql/read-statements.js';
import { FAILURE_COLUMNS, type ReadsDialect } from '../sql/reads-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { selectAttempts } from './attempts.js';
import { millisOf, select } from './columns.js';
import { listOf } from './parameters.js';

export function reads(table: JobsTable): ReadsDialect {
  const statements = {
    statuses: statuses(table.quoted),
    all: selectJobs(table.quoted),
    summaries: selectSummaries(table.quoted),
    failures: selectFailures(table.quoted),
    attempts: selectAttempts(table),
  };
  return readsDialect(statements, listOf);
}

const statuses = (table: string) => `SELECT id, status FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

export const selectJobs = (table: string) => `
  SELECT ${select(JOB_COLUMNS)}, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

const selectSummaries = (table: string) => `
  SELECT ${select(SUMMARY_COLUMNS)}, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

const selectFailures = (table: string) =>
  `SELECT ${select(FAILURE_COLUMNS)} FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

import type { JobStatus } from '../../job/job-state.js';
import { JOB_COLUMNS } from '../sql/columns.js';
import { decodeFailure, FAILURE_COLUMNS, type ReadsDialect } from '../sql/reads-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeAttempt, decodeJob } from '../sql/row.js';
import { selectAttempts } from './attempts.js';
import { millisOf, select } from './columns.js';
import { listOf } from './parameters.js';

export function reads(table: JobsTable): ReadsDialect {
  const statements = {
    statuses: statuses(table.quoted),
    all: selectJobs(table.quoted),
    failures: selectFailures(table.quoted),
    attempts: selectAttempts(table),
  };
  return {
    statuses: async (sql, ids) => {
      const rows = await sql.query(statements.statuses, [listOf(ids)]);
      return new Map(rows.map(({ id, status }) => [id as string, status as JobStatus]));
    },
    all: async (sql, ids) => (await sql.query(statements.all, [listOf(ids)])).map(decodeJob),
    failures: async (sql, ids) => (await sql.query(statements.failures, [listOf(ids)])).map(decodeFailure),
    attempts: async (sql, id) => (await sql.query(statements.attempts, [id])).map(decodeAttempt),
  };
}

export const statuses = (table: string) =>
  `SELECT id, status FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

export const selectJobs = (table: string) => `
  SELECT ${select(JOB_COLUMNS)}, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

export const selectFailures = (table: string) =>
  `SELECT ${select(FAILURE_COLUMNS)} FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

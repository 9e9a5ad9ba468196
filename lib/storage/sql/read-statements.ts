import type { JobStatus } from '../../job/job-state.js';
import { decodeFailure, type ReadsDialect } from './reads-dialect.js';
import { decodeAttempt, decodeJob, decodeSummary } from './row.js';

/** What a database is sent to read jobs: all but the last with a list of ids, that with an id. */
export interface ReadStatements {
  readonly statuses: string;
  readonly all: string;
  readonly summaries: string;
  readonly failures: string;
  readonly attempts: string;
}

/** @param listOf the ids as a parameter */
export function readsDialect(
  statements: ReadStatements,
  listOf: (ids: readonly string[]) => unknown,
): ReadsDialect {
  return {
    statuses: async (sql, ids) => {
      const rows = await sql.query(statements.statuses, [listOf(ids)]);
      return new Map(rows.map(({ id, status }) => [id as string, status as JobStatus]));
    },
    all: async (sql, ids) => (await sql.query(statements.all, [listOf(ids)])).map(decodeJob),
    summaries: async (sql, ids) => (await sql.query(statements.summaries, [listOf(ids)])).map(decodeSummary),
    failures: async (sql, ids) => (await sql.query(statements.failures, [listOf(ids)])).map(decodeFailure),
    attempts: async (sql, id) => (await sql.query(statements.attempts, [id])).map(decodeAttempt),
  };
}

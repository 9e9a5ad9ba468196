import type { Job, JobSummary } from '../../job/job.js';
import type { JobAttempt } from '../../job/job-attempt.js';
import type { JobStatus } from '../../job/job-state.js';
import type { JobFailure } from '../../queue/job-reader.js';
import type { Columns } from './columns.js';
import { decodeInstant } from './schedule-row.js';
import type { Row, Sql } from './sql.js';

/** Statements that read jobs; see the methods of `JobReader`. Never on a server that may be behind the one that writes. */
export interface ReadsDialect {
  statuses(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, JobStatus>>;
  all(sql: Sql, ids: readonly string[]): Promise<Job[]>;
  summaries(sql: Sql, ids: readonly string[]): Promise<JobSummary[]>;
  failures(sql: Sql, ids: readonly string[]): Promise<JobFailure[]>;
  attempts(sql: Sql, id: string): Promise<JobAttempt[]>;
}

/** What is read of the error of a job. */
export const FAILURE_COLUMNS = {
  id: 'plain',
  kind: 'plain',
  last_error: 'plain',
  updated_at: 'instant',
} as const satisfies Columns;

/** From a row of `FAILURE_COLUMNS`. */
export function decodeFailure(row: Row): JobFailure {
  return {
    id: row.id as string,
    kind: row.kind as string,
    lastError: row.last_error as string | null,
    updatedAt: decodeInstant(row.updated_at)!,
  };
}

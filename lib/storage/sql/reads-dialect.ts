import type { Job } from '../../job/job.js';
import type { JobAttempt } from '../../job/job-attempt.js';
import type { JobStatus } from '../../job/job-state.js';
import type { Sql } from './sql.js';

/** Statements that read jobs; see the methods of `JobReader`. Never on a server that may be behind the one that writes. */
export interface ReadsDialect {
  statuses(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, JobStatus>>;
  all(sql: Sql, ids: readonly string[]): Promise<Job[]>;
  attempts(sql: Sql, id: string): Promise<JobAttempt[]>;
}

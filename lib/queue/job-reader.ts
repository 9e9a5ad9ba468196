import type { Job, JobSummary } from '../job/job.js';
import type { JobAttempt } from '../job/job-attempt.js';
import type { JobLogLine, LogQuery } from '../job/job-log.js';
import type { JobConditions } from '../job/job-conditions.js';
import type { JobStatus } from '../job/job-state.js';
import type { EnqueueTarget } from './transactions.js';

/** What is told of an error of a job. */
export interface JobFailure {
  readonly id: string;
  readonly kind: string;
  readonly lastError: string | null;
  /** When the job last changed: where it has ended, when it did. */
  readonly updatedAt: Date;
}

/** How a search goes through the jobs, and where it stops. */
export interface SearchBounds {
  /** By id, as text. The ids that this package makes are in the order in which they were made. */
  readonly order: 'newest' | 'oldest';
  /** Only jobs that come after this id in the order. */
  readonly after: string | null;
  /** Stops with so many jobs. */
  readonly limit: number;
  /** Stops when it has looked at so many. */
  readonly maxSearched: number;
}

/** What a search has found. */
export interface SearchedJobs {
  /** In the order of the search. */
  readonly ids: readonly string[];
  /** How many jobs it has looked at. */
  readonly searched: number;
  /** The id at which it has stopped; null at the end. */
  readonly reached: string | null;
}

export interface CountBounds {
  /** Stops when there are more. */
  readonly cap: number;
  readonly maxSearched: number;
}

export interface CountedJobs {
  /** At most the cap. */
  readonly value: number;
  /** There are more, or there may be: not all jobs were looked at. */
  readonly isCapped: boolean;
}

/**
 * Reads jobs, many at once, and what is stored beside one. Every implementation passes test/contract/wait.contract.ts,
 * find.contract.ts, summaries.contract.ts, attempts.contract.ts and progress.contract.ts.
 *
 * With the `manager` of a target it sees what the transaction of that has written.
 */
export abstract class JobReader {
  /** The status of each of these jobs; those that do not exist are left out. One look for all of them. */
  abstract statuses(ids: readonly string[]): Promise<ReadonlyMap<string, JobStatus>>;

  /** Those of the jobs that exist, in any order. @throws UnreadableDocumentError where one of them cannot be read */
  abstract all(ids: readonly string[], target?: EnqueueTarget): Promise<Job[]>;

  /**
   * What lists tell of those of the jobs that exist, in any order. It reads no payloads, no results and nothing that jobs
   * carry. Settings and progress that cannot be read are left out: one row that somebody else wrote hides no others.
   */
  abstract summaries(ids: readonly string[], target?: EnqueueTarget): Promise<JobSummary[]>;

  /** The last errors of those of the jobs that exist, in any order. It reads no payloads and no results. */
  abstract failures(ids: readonly string[]): Promise<JobFailure[]>;

  /**
   * Looks for jobs. The ids are at least those of the jobs that fulfil the conditions: of these, `fulfils` tells which do, once
   * they are read. Without a condition on the payload they are the same, but for what has changed meanwhile.
   *
   * It goes along the index that leads to the fewest jobs, in statements none of which reads more than a part of it. So it is
   * no look at one instant.
   */
  abstract search(
    conditions: JobConditions,
    bounds: SearchBounds,
    target?: EnqueueTarget,
  ): Promise<SearchedJobs>;

  /** Counts the jobs that a search would find. */
  abstract count(
    conditions: JobConditions,
    bounds: CountBounds,
    target?: EnqueueTarget,
  ): Promise<CountedJobs>;

  /** The attempts of a job that were recorded, the newest first: at most 50. */
  abstract attempts(id: string): Promise<JobAttempt[]>;

  /** Lines that the handler of a job has logged, in the order of their positions. */
  abstract logs(id: string, query: LogQuery): Promise<JobLogLine[]>;

  /** By the clock of the storage, in milliseconds since 1970. */
  abstract now(target?: EnqueueTarget): Promise<number>;

  /** The tag of an entity; see `forEntity`. @throws InvalidJobError */
  abstract entityTag(entity: object): string;
}

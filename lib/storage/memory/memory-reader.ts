import type { DataSource } from 'typeorm';
import { compareIds } from '../../job/id-order.js';
import type { Job, JobSummary } from '../../job/job.js';
import type { JobAttempt } from '../../job/job-attempt.js';
import { fulfils, type JobConditions } from '../../job/job-conditions.js';
import type { JobLogLine, LogQuery } from '../../job/job-log.js';
import type { JobStatus } from '../../job/job-state.js';
import {
  JobReader,
  type CountBounds,
  type CountedJobs,
  type JobFailure,
  type SearchBounds,
  type SearchedJobs,
} from '../../queue/job-reader.js';
import type { EnqueueTarget } from '../../queue/transactions.js';
import { forEntity } from '../sql/entity-tag.js';
import { show, type Stored } from './memory-job.js';
import type { MemoryJobs } from './memory-jobs.js';
import type { MemoryTransactions } from './memory-transactions.js';

/** What the reader of jobs in memory has from its queue. */
export interface MemoryReaderParts {
  readonly now: () => number;
  readonly jobs: MemoryJobs;
  readonly transactions: MemoryTransactions;
  /** Whether a job holds this unique key of its kind. */
  readonly holds: (job: Stored, key: string) => boolean;
  /** What knows entities, if anything does. */
  readonly dataSource: DataSource;
}

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/** Reads jobs in memory. */
export class MemoryReader extends JobReader {
  constructor(private readonly parts: MemoryReaderParts) {
    super();
  }

  async statuses(ids: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    return new Map(this.those(ids).map(({ id, status }) => [id, status]));
  }

  async all(ids: readonly string[], target?: EnqueueTarget): Promise<Job[]> {
    return this.those(ids, target).map((job) => this.shown(job));
  }

  async summaries(ids: readonly string[], target?: EnqueueTarget): Promise<JobSummary[]> {
    return (await this.all(ids, target)).map(
      ({ payload: _payload, result: _result, carried: _carried, traceContext: _trace, ...summary }) =>
        summary,
    );
  }

  async failures(ids: readonly string[]): Promise<JobFailure[]> {
    return (await this.all(ids)).map(({ id, kind, lastError = null, updatedAt }) => ({
      ...{ id, kind, lastError, updatedAt },
    }));
  }

  async search(
    conditions: JobConditions,
    { order, after, limit, maxSearched }: SearchBounds,
    target?: EnqueueTarget,
  ): Promise<SearchedJobs> {
    const sign = order === 'newest' ? -1 : 1;
    const left = [...this.seen(target).values()]
      .filter(({ id }) => after === null || compareIds(id, after) * sign > 0)
      .toSorted((one, other) => compareIds(one.id, other.id) * sign);
    const ids: string[] = [];
    let searched = 0;
    for (const job of left.slice(0, maxSearched)) {
      if (ids.length === limit) break;
      searched += 1;
      if (this.isWanted(job, conditions)) ids.push(job.id);
    }
    return { ids, searched, reached: searched < left.length ? (left[searched - 1]?.id ?? after) : null };
  }

  async count(
    conditions: JobConditions,
    { cap, maxSearched }: CountBounds,
    target?: EnqueueTarget,
  ): Promise<CountedJobs> {
    const bounds = { order: 'oldest', after: null, limit: cap + 1, maxSearched } as const;
    const { ids, reached } = await this.search(conditions, bounds, target);
    return { value: Math.min(ids.length, cap), isCapped: ids.length > cap || reached !== null };
  }

  async attempts(id: string): Promise<JobAttempt[]> {
    return this.parts.jobs.attempts.of(id);
  }

  async logs(id: string, query: LogQuery): Promise<JobLogLine[]> {
    return this.parts.jobs.logs.of(id, query);
  }

  async now(): Promise<number> {
    return this.parts.now();
  }

  entityTag(entity: object): string {
    return forEntity(entity, this.parts.dataSource);
  }

  private isWanted(job: Stored, conditions: JobConditions): boolean {
    const { uniqueKey } = conditions;
    return (
      fulfils(this.shown(job), conditions) && (uniqueKey === undefined || this.parts.holds(job, uniqueKey))
    );
  }

  /** The jobs as the transaction of a target sees them. */
  private seen(target?: EnqueueTarget): ReadonlyMap<string, Stored> {
    const { jobs, transactions } = this.parts;
    const changed = transactions.uncommittedIn(target);
    return new Map([...jobs.all(), ...changed].map((job) => [job.id, job]));
  }

  private those(ids: readonly string[], target?: EnqueueTarget): Stored[] {
    const changed = this.parts.transactions.uncommittedIn(target);
    return ids.flatMap((id) => changed.findLast((job) => job.id === id) ?? this.parts.jobs.get(id) ?? []);
  }

  private shown(job: Stored): Job {
    return show(job, this.parts.now());
  }
}

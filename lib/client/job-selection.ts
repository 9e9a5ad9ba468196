import { InvalidJobError } from '../job/errors.js';
import type { Job } from '../job/job.js';
import type { JobConditions } from '../job/job-conditions.js';
import {
  requireBulkFilter,
  requireBulkOptions,
  requireSpread,
  type BulkAnswer,
  type BulkFilter,
  type BulkOptions,
  type CancelManyOptions,
  type RetryManyOptions,
} from './bulk-arguments.js';
import { BulkEdits } from './bulk-edits.js';
import { requireOptions } from './enqueue-arguments.js';
import {
  MAX_SEARCHED,
  requireCap,
  requireFilter,
  requireFindOptions,
  type CountOptions,
  type FindOptions,
  type JobFilter,
} from './find-arguments.js';
import { JobControl } from './job-control.js';
import { JobSearch, pageOf, type FoundPage } from './job-search.js';
import { requireReason } from './reason.js';
import { targetOf } from './write-target.js';

/** A page of jobs. */
export type FoundJobs = FoundPage<Job>;

/** How many jobs fit a filter. */
export interface JobCount {
  readonly value: number;
  /** There are more, or there may be: the call has looked at 100,000 jobs, and there are others. */
  readonly capped: boolean;
}

/** What `JobClient` does with all jobs that fit a filter. */
export abstract class JobSelection extends JobControl {
  /**
   * Finds jobs, a page at a time.
   *
   * ```ts
   * const { jobs, next } = await client.find({ kinds: ['invoice'], states: ['failed'] }, { limit: 50 });
   * ```
   *
   * It looks at no more than 100,000 jobs, whatever the filter says, and then says so and goes on from `next`. No two calls
   * see the same instant, and neither does one: a job that changes while it looks may be found or not.
   *
   * @param filter what the jobs must be like. Default: all jobs.
   * @throws InvalidJobError
   */
  async find(filter: JobFilter = {}, options?: FindOptions): Promise<FoundJobs> {
    const { order, after, limit } = requireFindOptions(requireOptions(options));
    // One more than is wanted tells whether there are more.
    const bounds = { order, after, limit: limit + 1, maxSearched: MAX_SEARCHED };
    const search = new JobSearch(this.queue.reads);
    const found = await this.unlessClosed(search.find(this.conditionsOf(filter), bounds));
    return pageOf(found, limit);
  }

  /**
   * Counts jobs, up to a cap. It looks at no more than 100,000 jobs.
   *
   * @param filter what the jobs must be like. Default: all jobs.
   * @throws InvalidJobError
   */
  async count(filter: JobFilter = {}, options?: CountOptions): Promise<JobCount> {
    const cap = requireCap(requireOptions(options));
    const search = new JobSearch(this.queue.reads);
    const counting = search.count(this.conditionsOf(filter), cap, MAX_SEARCHED);
    const { value, isCapped } = await this.unlessClosed(counting);
    return { value, capped: isCapped };
  }

  /**
   * Cancels all jobs that fit and wait or run, each as `cancel` does. They are changed in batches in the order of their ids, each
   * in a short transaction, with pauses in between that leave the database to the workers. Jobs that are made during the call
   * are left alone. If it breaks off, it can be called again.
   *
   * In a transaction of the caller's all of it is part of that, and it takes at most 10,000 jobs.
   *
   * @throws InvalidJobError, also where the filter is empty; the reason of the signal
   */
  async cancelMany(filter: BulkFilter, options?: CancelManyOptions): Promise<BulkAnswer> {
    const { reason, ...rest } = requireOptions(options);
    const why = requireReason(reason, InvalidJobError);
    return this.bulk(filter, rest, (edits, conditions) => edits.cancel(conditions, why));
  }

  /**
   * Makes all jobs ready again that fit and are `FAILED`, `PANIC` or `CANCELLED`, each as `retry` does; in batches as
   * `cancelMany`. Those whose unique key another job has by now stay as they are, and are counted.
   *
   * ```ts
   * await client.retryMany({ kinds: ['invoice'], error: 'ECONNREFUSED' }, { spreadMs: 600_000 });
   * ```
   *
   * @throws InvalidJobError, also where the filter is empty; the reason of the signal
   */
  async retryMany(filter: BulkFilter, options?: RetryManyOptions): Promise<BulkAnswer> {
    const { spreadMs, ...rest } = requireOptions(options);
    const spread = requireSpread(spreadMs);
    return this.bulk(filter, rest, (edits, conditions) => edits.retry(conditions, spread));
  }

  /**
   * Deletes all jobs that fit and do not run, each as `delete` does; in batches as `cancelMany`.
   *
   * @throws InvalidJobError, also where the filter is empty; the reason of the signal
   */
  async deleteMany(filter: BulkFilter, options?: BulkOptions): Promise<BulkAnswer> {
    return this.bulk(filter, requireOptions(options), (edits, conditions) => edits.delete(conditions));
  }

  private async bulk(
    filter: BulkFilter,
    { dryRun, signal, ...target }: BulkOptions,
    work: (edits: BulkEdits, conditions: JobConditions) => Promise<BulkAnswer>,
  ): Promise<BulkAnswer> {
    const conditions = this.conditionsOf(requireBulkFilter(filter));
    const settings = requireBulkOptions({ dryRun, signal });
    const where = targetOf(this.queue, target, this.settings.onUnjoined);
    const edits = new BulkEdits(this.queue.reads, this.queue.edits, where, settings);
    return this.unlessClosed(work(edits, conditions));
  }

  private conditionsOf(filter: JobFilter): JobConditions {
    return requireFilter(filter, (entity) => this.queue.reads.entityTag(entity));
  }
}

import type { Job } from '../job/job.js';
import { fulfils, type JobConditions } from '../job/job-conditions.js';
import type { CountedJobs, JobReader, SearchBounds } from '../queue/job-reader.js';
import type { EnqueueTarget } from '../queue/transactions.js';

/** How many jobs are read at once to look into their payloads, where these are only to be counted. */
const READ_AT_ONCE = 500;

/** Jobs that fulfil conditions. */
export interface FulfillingJobs {
  /** In the order of the search; one more than the limit where there are more. */
  readonly jobs: readonly Job[];
  readonly searched: number;
  /** Where the search has stopped; null at the end. */
  readonly reached: string | null;
}

/** Looks for jobs, and reads them. */
export class JobSearch {
  constructor(
    private readonly reader: JobReader,
    private readonly target?: EnqueueTarget,
  ) {}

  /** What has changed since the storage found it, or what it could not tell, is looked for once more. */
  async find(conditions: JobConditions, bounds: SearchBounds): Promise<FulfillingJobs> {
    const jobs: Job[] = [];
    let { after, maxSearched } = bounds;
    let reached: string | null;
    do {
      const part = { ...bounds, after, maxSearched, limit: bounds.limit - jobs.length };
      const found = await this.reader.search(conditions, part, this.target);
      jobs.push(...(await this.read(found.ids, conditions)));
      maxSearched -= found.searched;
      after = reached = found.reached;
    } while (reached !== null && jobs.length < bounds.limit && maxSearched > 0);
    return { jobs, searched: bounds.maxSearched - maxSearched, reached };
  }

  /** Only payloads are read for it. */
  async count(conditions: JobConditions, cap: number, maxSearched: number): Promise<CountedJobs> {
    if (conditions.payload === undefined)
      return this.reader.count(conditions, { cap, maxSearched }, this.target);
    let value = 0;
    let left = maxSearched;
    let after: string | null = null;
    do {
      const limit = Math.min(READ_AT_ONCE, cap + 1 - value);
      const bounds = { order: 'oldest', after, limit, maxSearched: left } as const;
      const { jobs, searched, reached } = await this.find(conditions, bounds);
      value += jobs.length;
      left -= searched;
      after = reached;
    } while (after !== null && value <= cap && left > 0);
    return { value: Math.min(value, cap), isCapped: value > cap || after !== null };
  }

  private async read(ids: readonly string[], conditions: JobConditions): Promise<Job[]> {
    if (ids.length === 0) return [];
    const jobs = await this.reader.all(ids, this.target);
    const byId = new Map(jobs.map((job) => [job.id, job]));
    return ids.flatMap((id) => byId.get(id) ?? []).filter((job) => fulfils(job, conditions));
  }
}

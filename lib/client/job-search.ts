import type { Job, JobSummary } from '../job/job.js';
import { fulfils, type JobConditions } from '../job/job-conditions.js';
import { UnreadableDocumentError } from '../job/unreadable-document-error.js';
import type { CountedJobs, JobReader, SearchBounds } from '../queue/job-reader.js';
import type { EnqueueTarget } from '../queue/transactions.js';

/** How many jobs are read at once to look into their payloads, where these are only to be counted. */
const READ_AT_ONCE = 500;

/** Jobs that fulfil conditions. */
export interface FulfillingJobs<Found> {
  /** In the order of the search; one more than the limit where there are more. */
  readonly jobs: readonly Found[];
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

  /** Whole jobs. @throws UnreadableDocumentError where one of them cannot be read */
  find(conditions: JobConditions, bounds: SearchBounds): Promise<FulfillingJobs<Job>> {
    return this.run(conditions, bounds, (ids) => this.reader.all(ids, this.target));
  }

  /**
   * What lists tell of jobs. Their payloads are read only where a condition is about them, and one that cannot be read fulfils
   * no such condition.
   */
  list(conditions: JobConditions, bounds: SearchBounds): Promise<FulfillingJobs<JobSummary>> {
    const isOfPayloads = conditions.payload !== undefined;
    return this.run<JobSummary>(conditions, bounds, (ids) =>
      isOfPayloads ? this.readable(ids) : this.reader.summaries(ids, this.target),
    );
  }

  /** What has changed since the storage found it, or what it could not tell, is looked for once more. */
  private async run<Found extends JobSummary>(
    conditions: JobConditions,
    bounds: SearchBounds,
    read: (ids: readonly string[]) => Promise<Found[]>,
  ): Promise<FulfillingJobs<Found>> {
    const jobs: Found[] = [];
    let { after, maxSearched } = bounds;
    let reached: string | null;
    do {
      const part = { ...bounds, after, maxSearched, limit: bounds.limit - jobs.length };
      const found = await this.reader.search(conditions, part, this.target);
      jobs.push(...(await fulfilling(found.ids, conditions, read)));
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
      const { jobs, searched, reached } = await this.list(conditions, bounds);
      value += jobs.length;
      left -= searched;
      after = reached;
    } while (after !== null && value <= cap && left > 0);
    return { value: Math.min(value, cap), isCapped: value > cap || after !== null };
  }

  /** In halves where they cannot be read together: it takes few statements to find the few that cannot be read. */
  private async readable(ids: readonly string[]): Promise<Job[]> {
    try {
      return await this.reader.all(ids, this.target);
    } catch (error) {
      if (!(error instanceof UnreadableDocumentError)) throw error;
      if (ids.length === 1) return [];
    }
    const middle = Math.floor(ids.length / 2);
    return [...(await this.readable(ids.slice(0, middle))), ...(await this.readable(ids.slice(middle)))];
  }
}

async function fulfilling<Found extends JobSummary>(
  ids: readonly string[],
  conditions: JobConditions,
  read: (ids: readonly string[]) => Promise<Found[]>,
): Promise<Found[]> {
  if (ids.length === 0) return [];
  const byId = new Map((await read(ids)).map((job) => [job.id, job]));
  return ids.flatMap((id) => byId.get(id) ?? []).filter((job) => fulfils(job, conditions));
}

/** A page of jobs, or of what lists tell of them. */
export interface FoundPage<Found> {
  readonly jobs: readonly Found[];
  /** Hand it to the next call as `after`; null where there are no more jobs. */
  readonly next: string | null;
  /** How many jobs, or entries of an index, the call has looked at. */
  readonly searched: number;
  /** False where it has looked at 100,000 and not filled the page: there may be more, from `next` on. */
  readonly complete: boolean;
}

/** A page of what a search has found that looked for one more than the limit. */
export function pageOf<Found extends JobSummary>(
  { jobs, searched, reached }: FulfillingJobs<Found>,
  limit: number,
): FoundPage<Found> {
  const shown = jobs.slice(0, limit);
  const isFull = jobs.length > limit;
  return {
    jobs: shown,
    next: isFull ? shown.at(-1)!.id : reached,
    searched,
    complete: isFull || reached === null,
  };
}

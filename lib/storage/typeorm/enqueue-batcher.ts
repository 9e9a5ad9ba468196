import { Batcher } from '../../async/batcher.js';
import { deferred, type Deferred } from '../../async/deferred.js';
import { countForBatch, type Weight } from '../../job/batch-size.js';
import { sizeOf } from '../../job/document.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import { ownError } from '../sql/statement-error.js';

interface Call {
  readonly jobs: readonly EncodedJob[];
  readonly stored: Deferred<Job[]>;
}

/** A statement that is not answered within this time does not hold up the enqueues after it any longer. */
const STUCK_MS = 1_000;

/**
 * Writes concurrent enqueues together: while one statement is under way, calls gather, and leave in one statement when
 * it returns. A call that comes alone leaves at once. Each call keeps its own promise: if the database refuses a
 * statement, its calls are written one by one, and the guilty one fails alone.
 */
export class EnqueueBatcher {
  private readonly batcher = new Batcher<Call>({
    count: (waiting) => countForBatch(waiting, weigh),
    send: (calls) => this.write(calls),
    patienceMs: STUCK_MS,
    gathers: 'between', // callers that were answered together may call again at once
  });

  /**
   * @param insert writes jobs, all or none
   * @param wasRefused whether an error means that the database has looked at the statement and written nothing. A
   * statement whose answer was lost must not be sent again.
   */
  constructor(
    private readonly insert: (jobs: readonly EncodedJob[]) => Promise<Job[]>,
    private readonly wasRefused: (error: unknown) => boolean,
  ) {}

  enqueue(jobs: readonly EncodedJob[]): Promise<Job[]> {
    const stored = deferred<Job[]>();
    this.batcher.add({ jobs, stored });
    return stored.promise;
  }

  private async write(calls: readonly Call[]): Promise<void> {
    try {
      const all = await this.insert(calls.flatMap(({ jobs }) => jobs));
      let start = 0;
      for (const { jobs, stored } of calls) stored.resolve(all.slice(start, (start += jobs.length)));
    } catch (error) {
      if (calls.length > 1 && this.wasRefused(error)) {
        for (const call of calls) await this.write([call]);
      } else {
        for (const { stored } of calls) stored.reject(calls.length > 1 ? ownError(error) : error);
      }
    }
  }
}

function weigh({ jobs }: Call): Weight {
  return { rows: jobs.length, bytes: jobs.reduce((sum, { payload }) => sum + sizeOf(payload), 0) };
}

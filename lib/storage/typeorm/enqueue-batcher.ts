import { setImmediate } from 'node:timers/promises';
import type { Job } from '../../job/job.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { countForBatch, type Weight } from '../../job/batch-size.js';
import { sizeOf } from '../../job/document.js';

interface Call {
  readonly jobs: readonly EncodedJob[];
  readonly resolve: (stored: Job[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes concurrent enqueues together: while one statement is under way, calls gather, and leave in one statement when
 * it returns. A call that comes alone leaves at once. Each call keeps its own promise: where the database refuses a
 * statement, its calls are written one by one, and the guilty one fails alone.
 */
export class EnqueueBatcher {
  private readonly waiting: Call[] = [];
  private writing = false;

  /**
   * @param insert writes jobs, all or none
   * @param wasRefused whether an error means that the database has looked at the statement and written nothing; one
   * whose answer was lost must not be sent again
   */
  constructor(
    private readonly insert: (jobs: readonly EncodedJob[]) => Promise<Job[]>,
    private readonly wasRefused: (error: unknown) => boolean,
  ) {}

  enqueue(jobs: readonly EncodedJob[]): Promise<Job[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ jobs, resolve, reject });
      if (!this.writing) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const calls = this.nextCalls();
      await this.write(calls);
      // Whoever was answered may call again at once: let all of them, and write them together.
      if (calls.length > 1) await setImmediate();
    }
    this.writing = false;
  }

  private nextCalls(): Call[] {
    return this.waiting.splice(0, countForBatch(this.waiting, weigh));
  }

  private async write(calls: readonly Call[]): Promise<void> {
    try {
      const stored = await this.insert(calls.flatMap(({ jobs }) => jobs));
      let start = 0;
      for (const { jobs, resolve } of calls) resolve(stored.slice(start, (start += jobs.length)));
    } catch (error) {
      if (calls.length > 1 && this.wasRefused(error)) {
        for (const call of calls) await this.write([call]);
      } else {
        for (const { reject } of calls) reject(error);
      }
    }
  }
}

function weigh({ jobs }: Call): Weight {
  return { rows: jobs.length, bytes: jobs.reduce((sum, { payload }) => sum + sizeOf(payload), 0) };
}

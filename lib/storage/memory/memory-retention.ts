import type { Retention } from '../../job/retention.js';
import { RetentionStore, type Pruned, type PruneRange } from '../../queue/retention-store.js';
import type { MemoryJobs } from './memory-jobs.js';

const READ_AT_ONCE = 5000;
const PRUNED_AT_ONCE = 1000;

/** Deletes settled jobs of a queue in memory. The positions are numbers of jobs, in the order in which they were enqueued. */
export class MemoryRetention extends RetentionStore {
  constructor(
    private readonly jobs: MemoryJobs,
    private readonly now: () => number,
  ) {
    super();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous, a Map is not
  async prune(retention: Retention, { from, until }: PruneRange): Promise<Pruned> {
    const now = this.now();
    const [start, end] = [Number(from ?? 0), until === null ? Infinity : Number(until)];
    const part = this.jobs.all().slice(start, Math.min(end, start + READ_AT_ONCE));
    let [kept, deleted] = [0, 0];
    let nextAt: number | null = null;
    for (const { id, kind, status, updatedAt } of part) {
      const expiresAt = updatedAt.getTime() + (retention.ageOf(kind, status) ?? Infinity);
      if (expiresAt <= now) {
        this.jobs.delete(id);
        deleted += 1;
      } else {
        kept += 1;
        if (expiresAt < (nextAt ?? Infinity)) nextAt = expiresAt;
      }
      if (deleted === PRUNED_AT_ONCE) break;
    }
    const read = kept + deleted;
    const isAtEnd = start + read >= Math.min(end, this.jobs.count + deleted);
    return { read, deleted, reached: isAtEnd ? null : String(start + kept), nextAt, now };
  }
}

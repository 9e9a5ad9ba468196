import type { EncodedJob } from '../../job/encode-job.js';
import type { Notification, Notifier } from '../sql/notifier.js';

/** A process in which nothing has been inserted for so long may send a notification along. */
const QUIET_MS = 10;
/** Where many processes do so, their commits go one at a time, and an insert takes longer than this. */
const SLOW_MS = 5;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

type Insert<T> = (along?: Notification) => Promise<T>;

/**
 * Lets an insert take the notification of its job along, so that other processes hear of it one round trip earlier.
 * Only where one job comes now and then: the lock that a notification takes at the commit is held until that is on the
 * disk, and lets no other such commit through. Where one had to wait for it, there are too many, and none is sent along
 * for a second, and for twice as long each time. Where one is refused, because the server's queue of notifications is
 * full or for whatever reason, the job is inserted without.
 */
export class NotifyingInserts {
  private lastAt = -Infinity;
  private notBefore = -Infinity;
  private pauseMs = 0;
  private readonly told = new WeakSet<EncodedJob>();

  /** @param mayDoWithout whether an insert that failed wrote nothing, and may do so without its notification */
  constructor(
    private readonly channel: Notifier,
    private readonly mayDoWithout: (error: unknown) => boolean,
  ) {}

  run<T>(jobs: readonly EncodedJob[], insert: Insert<T>): Promise<T> {
    const now = performance.now();
    const isQuiet = now - this.lastAt >= QUIET_MS;
    this.lastAt = now;
    const [job] = jobs;
    if (job === undefined || jobs.length > 1 || !isQuiet || now < this.notBefore) return insert();
    const along = this.channel.notification([job.kind]);
    return along === null ? insert() : this.runAlong(job, along, insert);
  }

  /** Others hear of these by their commit. */
  haveTold(jobs: readonly EncodedJob[]): boolean {
    return jobs.length === 1 && this.told.has(jobs[0]!);
  }

  private async runAlong<T>(job: EncodedJob, along: Notification, insert: Insert<T>): Promise<T> {
    const sentAt = performance.now();
    try {
      const result = await insert(along);
      this.told.add(job);
      const isSlow = performance.now() - sentAt > SLOW_MS;
      this.pause(isSlow ? Math.max(2 * this.pauseMs, FIRST_PAUSE_MS) : 0);
      return result;
    } catch (error) {
      if (!this.mayDoWithout(error)) throw error;
      const result = await insert();
      this.pause(MAX_PAUSE_MS);
      return result;
    }
  }

  private pause(ms: number): void {
    this.pauseMs = Math.min(ms, MAX_PAUSE_MS);
    this.notBefore = performance.now() + this.pauseMs;
  }
}

import type { PreparedJob } from '../job/prepare-job.js';
import type { Notification, WakeChannel } from './wake-channel.js';

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
 * for a second, and for twice as long each time.
 */
export class NotifyingInserts {
  private lastAt = -Infinity;
  private notBefore = -Infinity;
  private pauseMs = 0;
  private readonly told = new WeakSet<PreparedJob>();

  constructor(private readonly channel: WakeChannel) {}

  run<T>(jobs: readonly PreparedJob[], insert: Insert<T>): Promise<T> {
    const now = performance.now();
    const isQuiet = now - this.lastAt >= QUIET_MS;
    this.lastAt = now;
    const [job] = jobs;
    if (job === undefined || jobs.length > 1 || !isQuiet || now < this.notBefore) return insert();
    const along = this.channel.notification([job.kind]);
    return along === null ? insert() : this.runAlong(job, along, insert);
  }

  /** Others hear of these by their commit. */
  haveTold(jobs: readonly PreparedJob[]): boolean {
    return jobs.length === 1 && this.told.has(jobs[0]!);
  }

  private async runAlong<T>(job: PreparedJob, along: Notification, insert: Insert<T>): Promise<T> {
    const sentAt = performance.now();
    const result = await insert(along);
    this.told.add(job);
    const now = performance.now();
    const isSlow = now - sentAt > SLOW_MS;
    this.pauseMs = isSlow ? Math.min(Math.max(2 * this.pauseMs, FIRST_PAUSE_MS), MAX_PAUSE_MS) : 0;
    this.notBefore = now + this.pauseMs;
    return result;
  }
}

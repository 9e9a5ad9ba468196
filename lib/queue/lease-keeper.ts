import { describeError } from '../job/describe-error.js';
import { LeaseLostError } from '../job/errors.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobsLogger } from '../job/logger.js';
import type { JobQueue } from './job-queue.js';
import type { Lease, LeaseRenewal } from './lease.js';

export interface LeaseKeeperSettings {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
}

/** A lease that is being renewed. */
export interface HeldLease extends LeaseRenewal {
  readonly job: ClaimedJob;
  /** Set by the keeper when the lease is no longer ours, or can no longer be known to be. */
  readonly lost: LeaseLostError | undefined;
}

interface Entry {
  job: ClaimedJob;
  id: string;
  leaseToken: number;
  alone: boolean;
  lost: LeaseLostError | undefined;
  /** Somebody else held a lock on the row when it was to be renewed. */
  busy: boolean;
  /** By the monotonic clock of this process; never later than the storage's end of the lease. */
  endsAt: number;
  onLost: (error: LeaseLostError) => void;
}

/**
 * How often within a heartbeat the keeper looks at its leases, and so how soon a renewal that failed, or met a locked
 * row, is tried again.
 */
const LOOKS_PER_HEARTBEAT = 4;

/**
 * Renews the leases of running jobs, all in one call. A renewal that fails is tried again until the lease has really
 * ended; only then, or where the storage answers that it is lost, is `onLost` called.
 */
export class LeaseKeeper {
  private readonly entries = new Set<Entry>();
  private timer: NodeJS.Timeout | undefined;
  private lastLook = 0;
  private lastRenewal = 0;
  /** When the renewal under way was sent. */
  private sentAt: number | undefined;

  constructor(
    private readonly queue: Pick<JobQueue, 'renew'>,
    private readonly settings: LeaseKeeperSettings,
    private readonly logger: JobsLogger,
  ) {}

  /**
   * @param since `performance.now()` from before the claim was sent
   * @param alone whether it was claimed to run with no other beside it
   */
  hold(job: ClaimedJob, since: number, onLost: (error: LeaseLostError) => void, alone = false): HeldLease {
    const { id, leaseToken } = job;
    const endsAt = since + this.settings.leaseMs;
    const entry: Entry = { job, id, leaseToken, alone, lost: undefined, busy: false, endsAt, onLost };
    this.entries.add(entry);
    this.startLooking(since);
    return entry;
  }

  drop(lease: HeldLease): void {
    this.entries.delete(lease as Entry);
    if (this.entries.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Those that are ours, as far as it is known. */
  get leases(): readonly Lease[] {
    return [...this.entries];
  }

  /** Records that the job runs alone from now on. @returns whether the lease is still ours */
  async markAlone(lease: HeldLease): Promise<boolean> {
    const entry = lease as Entry;
    entry.alone = true;
    const [answer] = await this.queue.renew([entry], this.settings.leaseMs);
    if (answer === 'lost') this.lose(entry, 'another worker has it');
    return answer === 'written';
  }

  /** Renews at once, where a lease has run out: the process stood still, or a claim was answered late. Never rejects. */
  async catchUp(): Promise<void> {
    const now = performance.now();
    if ([...this.entries].some(({ endsAt }) => now >= endsAt)) await this.renew([...this.entries], now, true);
  }

  private startLooking(now: number): void {
    if (this.timer !== undefined) return;
    this.lastLook = performance.now();
    this.lastRenewal = now;
    this.timer = setInterval(() => this.look(), this.settings.heartbeatMs / LOOKS_PER_HEARTBEAT);
  }

  private look(): void {
    const now = performance.now();
    // After a freeze of the whole process an answer may be waiting to be read: judge at the next look.
    const frozen = now - this.lastLook > this.settings.heartbeatMs;
    this.lastLook = now;
    const stuck = this.sentAt !== undefined && now - this.sentAt >= this.settings.heartbeatMs;
    if (stuck && !frozen) this.loseEnded('its renewal is not answered');
    const due = now - this.lastRenewal >= this.settings.heartbeatMs;
    if (this.sentAt !== undefined && !stuck) return;
    const renewed = [...this.entries].filter(({ busy }) => due || busy);
    if (renewed.length > 0) void this.renew(renewed, now, due);
  }

  /** @param areAll the next heartbeat counts from here */
  private async renew(renewed: readonly Entry[], now: number, areAll: boolean): Promise<void> {
    this.sentAt = now;
    try {
      const answers = await this.queue.renew(renewed, this.settings.leaseMs);
      if (areAll) this.lastRenewal = Math.max(this.lastRenewal, now);
      renewed.forEach((entry, index) => {
        entry.busy = answers[index] === 'busy';
        if (answers[index] === 'written') entry.endsAt = now + this.settings.leaseMs;
        if (answers[index] === 'lost') this.lose(entry, 'another worker has it');
      });
    } catch (error) {
      this.logger.warn(
        `Could not renew the leases of ${renewed.length} jobs, trying again: ${describeError(error)}`,
      );
      this.loseEnded('it could not be renewed');
    } finally {
      if (this.sentAt === now) this.sentAt = undefined;
    }
  }

  private loseEnded(problem: string): void {
    const now = performance.now();
    for (const entry of this.entries) if (now >= entry.endsAt) this.lose(entry, `it has run out, ${problem}`);
  }

  private lose(entry: Entry, problem: string): void {
    if (entry.lost !== undefined || !this.entries.has(entry)) return;
    entry.lost = new LeaseLostError(entry.id, problem);
    this.logger.warn(`${entry.lost.message} (kind ${entry.job.kind}, attempt ${entry.job.attemptsDone + 1})`);
    this.drop(entry);
    entry.onLost(entry.lost);
  }
}

import type { EncodedJob } from '../../job/encode-job.js';
import { sizeOf } from '../../job/document.js';
import { DuplicateJobError } from '../../job/errors.js';
import { compareIds } from '../../job/id-order.js';
import type { ReclaimedJob } from '../../job/job.js';
import { STATUS_AFTER } from '../../job/outcome.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Lease, LeaseAnswer, LeaseTerms } from '../../queue/lease.js';
import {
  copyOf,
  crashMessage,
  endAttempt,
  isRunning,
  lock,
  store,
  unlock,
  type Stored,
} from './memory-job.js';

/** The jobs of a queue in memory, by the rules of the contract. */
export class MemoryJobs {
  private readonly jobs = new Map<string, Stored>();

  constructor(private readonly now: () => number) {}

  /**
   * Makes the jobs without adding them.
   *
   * @param uncommitted jobs that were made earlier in the same transaction
   * @throws DuplicateJobError
   */
  make(jobs: readonly EncodedJob[], uncommitted: readonly Stored[] = []): Stored[] {
    const now = this.now();
    const ids = new Set(uncommitted.map(({ id }) => id));
    for (const { id } of jobs) {
      if (this.jobs.has(id) || ids.has(id)) throw new DuplicateJobError(id);
      ids.add(id);
    }
    return jobs.map((job) => store(job, now));
  }

  add(jobs: readonly Stored[]): void {
    for (const job of jobs) this.jobs.set(job.id, job);
  }

  get(id: string): Stored | undefined {
    return this.jobs.get(id);
  }

  /** In the order in which they were added. */
  all(): Stored[] {
    return [...this.jobs.values()];
  }

  claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Stored[] {
    const now = this.now();
    const left = new Map(kinds.map((kind) => [kind, terms.kindLimits?.get(kind) ?? limit]));
    const { maxBytes = Infinity } = terms;
    const claimed: Stored[] = [];
    let bytes = 0;
    for (const job of this.ready(left, now)) {
      const free = left.get(job.kind)!;
      if (claimed.length >= limit || bytes >= maxBytes) break;
      if (free <= 0) continue;
      left.set(job.kind, free - 1);
      lock(job, terms, now);
      claimed.push(job);
      bytes += sizeOf(job.payload);
    }
    return claimed;
  }

  renew(lease: Lease, leaseMs: number, alone: boolean): LeaseAnswer {
    return this.underLease(lease, (job, now) => {
      job.heartbeatAt = new Date(now);
      job.lockedUntil = new Date(now + leaseMs);
      job.alone = alone;
    });
  }

  settle(settlement: Settlement): LeaseAnswer {
    const { outcome } = settlement;
    return this.underLease(settlement, (job, now) => {
      job.status = STATUS_AFTER[outcome.type];
      if (outcome.type === 'done') job.result = copyOf(outcome.result);
      else job.lastError = outcome.lastError;
      if (outcome.type === 'retry') job.runAt = new Date(now + outcome.delayMs);
      endAttempt(job, now);
    });
  }

  /** Whether the lease is live. */
  check(lease: Lease): LeaseAnswer {
    return this.underLease(lease, () => undefined);
  }

  release(lease: Lease): LeaseAnswer {
    return this.underLease(lease, unlock);
  }

  /** @returns how many there were */
  releaseUnheld(workerId: string, heldIds: ReadonlySet<string>): number {
    const unheld = this.all().filter((job) => job.lockedBy === workerId && !heldIds.has(job.id));
    for (const job of unheld) unlock(job, this.now());
    return unheld.length;
  }

  reclaim(maxCrashes: number, sparedIds: ReadonlySet<string>): ReclaimedJob[] {
    const now = this.now();
    const expired = this.all().filter(
      (job) => isRunning(job) && job.lockedUntil!.getTime() < now && !sparedIds.has(job.id),
    );
    return expired.map((job) => {
      const workerId = job.lockedBy!;
      const crashes = job.crashes + 1;
      const status = job.alone && crashes >= maxCrashes ? 'PANIC' : 'PENDING';
      job.crashes = crashes;
      job.status = status;
      job.lastError = crashMessage(job, maxCrashes);
      endAttempt(job, now);
      return { id: job.id, kind: job.kind, workerId, crashes, status };
    });
  }

  private ready(kinds: ReadonlyMap<string, number>, now: number): Stored[] {
    const isReady = (job: Stored) =>
      job.status === 'PENDING' && !isRunning(job) && kinds.has(job.kind) && job.runAt.getTime() <= now;
    return this.all().filter(isReady).sort(byTurn);
  }

  private underLease(lease: Lease, write: (job: Stored, now: number) => void): LeaseAnswer {
    const job = this.jobs.get(lease.id);
    if (job === undefined || job.leaseToken > lease.leaseToken) return 'lost';
    if (job.leaseToken < lease.leaseToken) return 'stale';
    if (!isRunning(job) || job.lockedBy !== lease.lockedBy) return 'lost';
    write(job, this.now());
    return 'written';
  }
}

/** Jobs in the order in which they are started. */
function byTurn(one: Stored, other: Stored): number {
  return (
    one.priority - other.priority ||
    one.runAt.getTime() - other.runAt.getTime() ||
    compareIds(one.id, other.id)
  );
}

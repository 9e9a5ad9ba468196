import type { EncodedJob } from '../../job/encode-job.js';
import { sizeOf } from '../../job/document.js';
import { DuplicateJobError } from '../../job/errors.js';
import { compareIds } from '../../job/id-order.js';
import type { ReclaimedJob } from '../../job/job.js';
import { delayAfter, STATUS_AFTER } from '../../job/outcome.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Lease, LeaseAnswer, LeaseTerms, OwnClaims, RenewalAnswer } from '../../queue/lease.js';
import type { SeenJob } from '../sql/fire-plan.js';
import { isCarriedOutLate } from '../sql/late-claims.js';
import type { MemoryAttempts } from './memory-attempts.js';
import { MemoryLogs } from './memory-logs.js';
import {
  copyOf,
  crashMessage,
  endAttempt,
  giveBack,
  isRunning,
  isWaiting,
  lock,
  store,
  type Stored,
} from './memory-job.js';

/** The jobs of a queue in memory, by the rules of the contract. */
export class MemoryJobs {
  readonly logs = new MemoryLogs();
  private readonly jobs = new Map<string, Stored>();
  /** Jobs that open transactions have locked: claims pass over them. */
  private readonly held = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    readonly attempts: MemoryAttempts,
  ) {}

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

  /** Writes what a transaction has made of a job. */
  replace(job: Stored): void {
    const existing = this.jobs.get(job.id);
    if (existing !== undefined) this.jobs.set(job.id, job);
  }

  /** Keeps jobs from being claimed, until each hold is let go. */
  hold(ids: readonly string[], count = 1): void {
    for (const id of ids) this.held.set(id, (this.held.get(id) ?? 0) + count);
  }

  letGo(ids: readonly string[]): void {
    this.hold(ids, -1);
    for (const id of ids) if (!this.isHeld(id)) this.held.delete(id);
  }

  isHeld(id: string): boolean {
    return (this.held.get(id) ?? 0) > 0;
  }

  get(id: string): Stored | undefined {
    return this.jobs.get(id);
  }

  delete(id: string): void {
    this.jobs.delete(id);
    this.attempts.delete(id);
    this.logs.delete(id);
  }

  get count(): number {
    return this.jobs.size;
  }

  /** In the order in which they were added. */
  all(): Stored[] {
    return [...this.jobs.values()];
  }

  /** Those of the jobs that exist. @param uncommitted jobs that count as well */
  see(ids: readonly string[], uncommitted: readonly Stored[] = []): SeenJob[] {
    return ids.flatMap((id) => {
      const job = this.jobs.get(id) ?? uncommitted.find((other) => other.id === id);
      return job === undefined ? [] : { id, isOpen: job.status === 'PENDING' };
    });
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

  /** In how many milliseconds the next scheduled job of these kinds is due; undefined if there is none. */
  nextDueMs(kinds: readonly string[]): number | undefined {
    const wanted = new Set(kinds);
    let nextMs: number | undefined;
    for (const job of this.jobs.values()) {
      const inMs = this.dueInMs(job);
      if (inMs > 0 && isWaiting(job) && wanted.has(job.kind)) nextMs = Math.min(inMs, nextMs ?? inMs);
    }
    return nextMs;
  }

  /** In how many milliseconds a job is due; 0 or less where it is. */
  dueInMs({ runAt }: Stored): number {
    return runAt.getTime() - this.now();
  }

  renew(lease: Lease, leaseMs: number, alone: boolean): RenewalAnswer {
    const answer = this.underLease(lease, (job, now) => {
      job.heartbeatAt = new Date(now);
      job.lockedUntil = new Date(now + leaseMs);
      job.alone = alone;
    });
    const job = this.jobs.get(lease.id);
    const isStopping = answer === 'written' && job?.cancelRequestedAt !== undefined;
    return isStopping ? { reason: job.cancelReason ?? null } : answer;
  }

  settle(settlement: Settlement): LeaseAnswer {
    const { outcome, deletes } = settlement;
    return this.underLease(settlement, (job, now) => {
      const isStopped = job.cancelRequestedAt !== undefined && outcome.type !== 'done';
      const delayMs = delayAfter(outcome);
      if (delayMs !== null) job.runAt = new Date(now + delayMs);
      if (outcome.type === 'snoozed') {
        giveBack(job, now);
        return;
      }
      job.status = isStopped ? 'CANCELLED' : STATUS_AFTER[outcome.type];
      if (outcome.type === 'done') job.result = copyOf(outcome.result);
      else if (outcome.type === 'cancelled') job.cancelReason ??= outcome.reason ?? undefined;
      else job.lastError = outcome.lastError;
      endAttempt(job, now);
      this.attempts.ended(job, settlement.lockedBy);
      if (deletes) this.delete(job.id);
    });
  }

  /** Whether the lease is live. */
  check(lease: Lease): LeaseAnswer {
    return this.underLease(lease, () => undefined);
  }

  release(lease: Lease): LeaseAnswer {
    return this.underLease(lease, giveBack);
  }

  /** @returns how many there were */
  releaseUnheld(workerId: string, heldIds: ReadonlySet<string>): number {
    const unheld = this.all().filter((job) => job.lockedBy === workerId && !heldIds.has(job.id));
    for (const job of unheld) giveBack(job, this.now());
    return unheld.length;
  }

  reclaim(maxCrashes: number, sparedIds: ReadonlySet<string>, own?: OwnClaims): ReclaimedJob[] {
    const now = this.now();
    const expired = this.all().filter(
      (job) => isRunning(job) && job.lockedUntil!.getTime() < now && !sparedIds.has(job.id),
    );
    return expired.map((job) => {
      const workerId = job.lockedBy!;
      if (isCarriedOutLate({ id: job.id, workerId }, own)) return giveBackOwn(job, workerId, now);
      const isStopped = job.cancelRequestedAt !== undefined;
      const crashes = job.crashes + (isStopped ? 0 : 1);
      const isConvicted = job.alone && crashes >= maxCrashes;
      const status = isStopped ? 'CANCELLED' : isConvicted ? 'PANIC' : 'PENDING';
      job.crashes = crashes;
      job.status = status;
      job.lastError = crashMessage(job, maxCrashes);
      endAttempt(job, now);
      this.attempts.ended(job, workerId, 'crashed');
      return { id: job.id, kind: job.kind, workerId, crashes, status };
    });
  }

  private ready(kinds: ReadonlyMap<string, number>, now: number): Stored[] {
    const isReady = (job: Stored) =>
      isWaiting(job) && !this.isHeld(job.id) && kinds.has(job.kind) && job.runAt.getTime() <= now;
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

function giveBackOwn(job: Stored, workerId: string, now: number): ReclaimedJob {
  giveBack(job, now);
  const { id, kind, crashes } = job;
  return { id, kind, workerId, crashes, status: job.status as ReclaimedJob['status'] };
}

import type { NewJob, ReclaimedJob } from '../../../lib/job/job.js';
import type { JobStatus } from '../../../lib/job/job-state.js';
import { STATUS_AFTER, type Outcome } from '../../../lib/job/outcome.js';
import type { Lease, LeaseAnswer, LeaseTerms } from '../../../lib/queue/lease.js';

/** Commands count in half hours, so this tells before from after, whatever time a test takes. */
export const TOLERANCE_MS = 10 * 60_000;

/** Instants are milliseconds by the model's clock, which stands still between commands. */
export interface ModelJob {
  readonly id: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly priority: number;
  readonly maxAttempts: number | undefined;
  readonly createdAt: number;
  runAt: number;
  updatedAt: number;
  status: JobStatus;
  cancelReason?: string | null;
  attemptsDone: number;
  crashes: number;
  leaseToken: number;
  alone: boolean;
  lockedBy?: string;
  lockedAt?: number;
  lockedUntil?: number;
  lastAttemptAt?: number;
  lastError?: string | RegExp;
  result?: Extract<Outcome, { type: 'done' }>['result'];
}

/** Where a job starts: hours from the model's now, or at once. */
export interface ModelNewJob extends Pick<NewJob, 'kind' | 'payload' | 'priority' | 'maxAttempts'> {
  readonly id: string;
  readonly inMs: number;
}

/** The promises of `JobQueue` over a `Map`: what a caller sees where nobody else is there. */
export class QueueModel {
  readonly jobs = new Map<string, ModelJob>();
  /** Every lease that was ever handed out. */
  readonly leases: Lease[] = [];

  constructor(public now: number) {}

  /** Ids of these jobs that exist already, or come twice. */
  duplicatesAmong(jobs: readonly ModelNewJob[], others: readonly ModelNewJob[] = []): ReadonlySet<string> {
    const seen = new Set([...this.jobs.keys(), ...others.map(({ id }) => id)]);
    return new Set(jobs.map(({ id }) => id).filter((id) => seen.has(id) || !seen.add(id)));
  }

  enqueue(jobs: readonly ModelNewJob[]): void {
    const { now } = this;
    for (const { id, kind, payload, priority = 0, maxAttempts, inMs } of jobs)
      this.jobs.set(id, {
        ...{ id, kind, payload, priority, maxAttempts, createdAt: now, updatedAt: now, runAt: now + inMs },
        ...{ status: 'PENDING', attemptsDone: 0, crashes: 0, leaseToken: 0, alone: false },
      });
  }

  claim(kinds: readonly string[], limit: number, terms: LeaseTerms): ModelJob[] {
    const left = new Map(kinds.map((kind) => [kind, terms.kindLimits?.get(kind) ?? Infinity]));
    const claimed: ModelJob[] = [];
    for (const job of this.ready) {
      const free = left.get(job.kind) ?? 0;
      if (free <= 0 || claimed.length >= limit) continue;
      left.set(job.kind, free - 1);
      claimed.push(job);
    }
    for (const job of claimed) this.lock(job, terms);
    return claimed;
  }

  renew(lease: Lease, leaseMs: number, alone: boolean): LeaseAnswer {
    return this.underLease(lease, (job) => {
      job.lockedUntil = this.now + leaseMs;
      job.alone = alone;
    });
  }

  settle(lease: Lease, outcome: Outcome): LeaseAnswer {
    return this.underLease(lease, (job) => {
      if (outcome.type === 'snoozed') {
        job.runAt = this.now + outcome.delayMs;
        this.unlock(job);
        return;
      }
      if (outcome.type === 'done') job.result = outcome.result;
      else if (outcome.type === 'cancelled') job.cancelReason = outcome.reason;
      else job.lastError = outcome.lastError;
      if (outcome.type === 'retry') job.runAt = this.now + outcome.delayMs;
      else job.status = STATUS_AFTER[outcome.type];
      this.endAttempt(job);
    });
  }

  release(lease: Lease): LeaseAnswer {
    return this.underLease(lease, (job) => this.unlock(job));
  }

  releaseUnheld(workerId: string, held: readonly Lease[]): number {
    const unheld = this.running.filter((job) => job.lockedBy === workerId && !includes(held, job));
    for (const job of unheld) this.unlock(job);
    return unheld.length;
  }

  reclaim(maxCrashes: number, held: readonly Lease[]): ReclaimedJob[] {
    const expired = this.running.filter((job) => job.lockedUntil! < this.now && !includes(held, job));
    return expired.map((job) => {
      const workerId = job.lockedBy!;
      job.crashes += 1;
      const isConvicted = job.alone && job.crashes >= maxCrashes;
      job.lastError = crashText(job, workerId, isConvicted, maxCrashes);
      if (isConvicted) job.status = 'PANIC';
      this.endAttempt(job);
      const { id, kind, crashes } = job;
      return { id, kind, workerId, crashes, status: isConvicted ? 'PANIC' : 'PENDING' };
    });
  }

  private get ready(): ModelJob[] {
    const ready = [...this.jobs.values()].filter(
      ({ status, lockedBy, runAt }) =>
        status === 'PENDING' && lockedBy === undefined && runAt < this.now + TOLERANCE_MS,
    );
    return ready.sort((a, b) => a.priority - b.priority || a.runAt - b.runAt || compareBytes(a.id, b.id));
  }

  private get running(): ModelJob[] {
    return [...this.jobs.values()].filter(({ lockedBy }) => lockedBy !== undefined);
  }

  private lock(job: ModelJob, { workerId, leaseMs, alone = false }: LeaseTerms): void {
    job.leaseToken += 1;
    job.lockedBy = workerId;
    job.lockedAt = job.updatedAt = this.now;
    job.lockedUntil = this.now + leaseMs;
    job.alone = alone;
    this.leases.push({ id: job.id, leaseToken: job.leaseToken, lockedBy: workerId });
  }

  private unlock(job: ModelJob): void {
    job.lockedBy = job.lockedAt = job.lockedUntil = undefined;
    job.alone = false;
    job.updatedAt = this.now;
  }

  private endAttempt(job: ModelJob): void {
    job.attemptsDone += 1;
    job.lastAttemptAt = job.lockedAt;
    this.unlock(job);
  }

  private underLease({ id, leaseToken, lockedBy }: Lease, write: (job: ModelJob) => void): LeaseAnswer {
    const job = this.jobs.get(id);
    if (job !== undefined && job.leaseToken < leaseToken) return 'stale';
    if (job?.lockedBy !== lockedBy || job.leaseToken !== leaseToken) return 'lost';
    write(job);
    return 'written';
  }
}

function crashText(
  { alone, crashes }: ModelJob,
  workerId: string,
  isConvicted: boolean,
  maxCrashes: number,
): RegExp {
  const start = `${isConvicted ? 'panic: ' : ''}the worker ${workerId} stopped renewing`;
  return new RegExp(
    `^${start}.*${alone ? '; the job ran alone' : 'Z'} \\(crash ${crashes} of ${maxCrashes}\\)$`,
  );
}

function includes(leases: readonly Lease[], { id }: ModelJob): boolean {
  return leases.some((lease) => lease.id === id);
}

/** The order of Unicode code points is that of their bytes in UTF-8. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

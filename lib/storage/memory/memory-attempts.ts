import {
  ATTEMPTS_KEPT,
  type AttemptHistory,
  type AttemptOutcome,
  type JobAttempt,
} from '../../job/job-attempt.js';
import type { Stored } from './memory-job.js';

/** The attempts of jobs in memory that were recorded. */
export class MemoryAttempts {
  /** By job, the oldest first. */
  private readonly attempts = new Map<string, JobAttempt[]>();

  constructor(private readonly history: AttemptHistory) {}

  /** Records an attempt that has just been written to its job. @param worker that had it */
  ended(job: Stored, worker: string, outcome = outcomeOf(job)): void {
    if (this.history === 'none' || (this.history === 'failures' && outcome === 'done')) return;
    const error = outcome === 'done' ? undefined : outcome === 'cancelled' ? job.cancelReason : job.lastError;
    const nextAt = new Date(Math.max(job.runAt.getTime(), job.updatedAt.getTime()));
    const others = this.attempts.get(job.id) ?? [];
    others.push({
      attempt: job.attemptsDone,
      worker,
      startedAt: job.lastAttemptAt,
      endedAt: job.updatedAt,
      outcome,
      ...(error !== undefined && { error }),
      ...(job.status === 'PENDING' && { nextAt }),
    });
    this.attempts.set(job.id, others.slice(-ATTEMPTS_KEPT));
  }

  /** The newest first. */
  of(id: string): JobAttempt[] {
    return this.attempts.get(id)?.toReversed() ?? [];
  }

  delete(id: string): void {
    this.attempts.delete(id);
  }
}

function outcomeOf({ status }: Stored): AttemptOutcome {
  return status === 'PENDING' ? 'retry' : (status.toLowerCase() as AttemptOutcome);
}

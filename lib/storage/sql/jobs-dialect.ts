import type { EncodedJob } from '../../job/encode-job.js';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { CancelledJob } from '../../queue/job-editor.js';
import type { Lease, LeaseRenewal, LeaseTerms, OwnClaims, StopRequest } from '../../queue/lease.js';
import type { Sql } from './sql.js';

/** Statements about jobs. Those about leases take them in ascending order of id, and return the leases that they wrote. */
export interface JobsDialect {
  /**
   * Writes all of the jobs, or none.
   *
   * @param isJoined whether `sql` is in a transaction of the caller's, which is to survive a failure if it can
   * @throws DuplicateIdError
   */
  insert(sql: Sql, jobs: readonly EncodedJob[], isJoined?: boolean): Promise<Job[]>;
  get(sql: Sql, id: string): Promise<Job | null>;
  /**
   * @param look the last one takes what is ready though scheduled jobs have just come due, which may go before. Where jobs
   * come due all the time, some always have. The first one may leave to another to find out when the next job is due.
   */
  claim(
    sql: Sql,
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
    look: ClaimLook,
  ): Promise<ClaimResult>;
  renew(sql: Sql, leases: readonly LeaseRenewal[], leaseMs: number): Promise<readonly RenewedLease[]>;
  /** @param isJoined whether `sql` is in a transaction already that the outcomes are to be part of */
  settle(sql: Sql, settlements: readonly Settlement[], isJoined?: boolean): Promise<readonly WrittenLease[]>;
  release(sql: Sql, leases: readonly Lease[]): Promise<readonly WrittenLease[]>;
  /** @returns how many jobs there were */
  releaseUnheld(sql: Sql, workerId: string, held: readonly Lease[]): Promise<number>;
  /**
   * Looks at the rows of leases, and not on a server that may be behind the one that writes. Where every server may be, a
   * row that is not there may be on its way, and counts as one that has not been claimed yet.
   */
  look(sql: Sql, leases: readonly Lease[]): Promise<readonly SeenLease[]>;
  /**
   * Ends jobs that wait, and asks the workers of those that run to end them, by the column `cancel_requested_at`. Passes
   * over those that have ended, and rows that are locked. Takes ids in ascending order.
   */
  cancel(sql: Sql, ids: readonly string[], reason: string): Promise<readonly CancelledJob[]>;
  /**
   * Takes back at most `RECLAIMED_AT_ONCE` jobs, and none of those held.
   * @param own what was claimed under this name, and is not among those that were lost, is given back
   */
  reclaim(sql: Sql, maxCrashes: number, held: readonly Lease[], own?: OwnClaims): Promise<ReclaimedJob[]>;
}

/** A lease under which something was written. */
export type WrittenLease = Pick<Lease, 'id' | 'leaseToken'>;

/** A lease that was renewed, and whether its job was asked to end. */
export interface RenewedLease extends WrittenLease {
  readonly stop?: StopRequest;
}

/** The lease of a row as it is now. */
export interface SeenLease extends Lease {
  /** Whether the job is under it. */
  readonly isHeld: boolean;
}

/** Which look of a claim a statement is. */
export type ClaimLook = 'first' | 'again' | 'last';

/** What one claim statement found. */
export interface ClaimResult {
  readonly jobs: readonly ClaimedJob[];
  /**
   * Another look may find more now: scheduled jobs have come due, or another worker was at the same rows. Or it is to find
   * out when the next job is due.
   */
  readonly tryAgain: boolean;
  /**
   * If the statement took less than it was asked for: in how many milliseconds the next scheduled job of its kinds is due,
   * by the database's clock, or when to look again (see `SCHEDULED_LOOK`). 0 if jobs have just been marked due that it did not take.
   * Undefined if none is scheduled.
   */
  readonly nextDueMs?: number;
}

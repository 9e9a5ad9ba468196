import type { EncodedJob } from '../../job/encode-job.js';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Lease, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
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
  claim(sql: Sql, kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimResult>;
  renew(sql: Sql, leases: readonly LeaseRenewal[], leaseMs: number): Promise<readonly WrittenLease[]>;
  /** @param isJoined whether `sql` is in a transaction already that the outcomes are to be part of */
  settle(sql: Sql, settlements: readonly Settlement[], isJoined?: boolean): Promise<readonly WrittenLease[]>;
  release(sql: Sql, leases: readonly Lease[]): Promise<readonly WrittenLease[]>;
  /** @returns how many jobs there were */
  releaseUnheld(sql: Sql, workerId: string, held: readonly Lease[]): Promise<number>;
  /** Looks at the rows of leases, and never on a server that may be behind the one that writes. */
  look(sql: Sql, leases: readonly Lease[]): Promise<readonly SeenLease[]>;
  /** Takes back at most `RECLAIMED_AT_ONCE` jobs, and none of those held. */
  reclaim(sql: Sql, maxCrashes: number, held: readonly Lease[]): Promise<ReclaimedJob[]>;
}

/** A lease under which something was written. */
export type WrittenLease = Pick<Lease, 'id' | 'leaseToken'>;

/** The lease of a row as it is now. */
export interface SeenLease extends Lease {
  /** Whether the job is under it. */
  readonly isHeld: boolean;
}

/** What one claim statement found. */
export interface ClaimResult {
  readonly jobs: readonly ClaimedJob[];
  /** Another try may find more now: scheduled jobs have come due, or another worker was at the same rows. */
  readonly tryAgain: boolean;
}

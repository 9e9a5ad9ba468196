import type { LeaseLostError } from '../job/errors.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { Settlement } from '../queue/job-queue.js';
import type { LeaseRenewal } from '../queue/lease.js';
import type { ExponentialPause } from '../async/pauses.js';
import type { Attempt } from './attempt.js';

/**
 * How far the handler is:
 * - `claimed`: not given to the dispatcher yet
 * - `waiting`: for a free slot
 * - `running`: from its call until it has really ended
 * - `ended`: or never called, because the job was given back or its lease was lost
 */
export type HandlerState = 'claimed' | 'waiting' | 'running' | 'ended';

/**
 * Whose the job is:
 * - `held`: ours, and renewed
 * - `lost`: not ours any more, or not known to be; nobody has said so to the storage
 * - `settling`: its outcome is being written
 * - `over`: written, refused, given back or dropped
 */
export type LeaseState = 'held' | 'lost' | 'settling' | 'over';

/** An outcome on its way to the storage. */
export interface PendingSettlement extends Settlement {
  readonly heldJob: HeldJob;
  /** How many tries have failed. */
  failures: number;
  /** How many of these the storage has refused, and not merely lost. */
  refusals: number;
  /** Made with the first failure. */
  pause?: ExponentialPause;
}

/** One claimed job, from its claim until its outcome is written. Its states change in `HeldJobs` alone. */
export class HeldJob implements LeaseRenewal {
  readonly id: string;
  readonly leaseToken: number;
  handler: HandlerState = 'claimed';
  lease: LeaseState = 'held';
  /** Why the lease is lost, if it is. */
  lost: LeaseLostError | undefined;
  /** Another transaction held a lock on the row when the lease was to be renewed. */
  isBusy = false;
  settlement: PendingSettlement | undefined;

  constructor(
    readonly attempt: Attempt,
    /** By the monotonic clock of this process; never later than the storage's end of the lease. */
    public endsAt: number,
    /** Whether the job runs with no other beside it in this process. */
    public alone: boolean,
  ) {
    this.id = attempt.job.id;
    this.leaseToken = attempt.job.leaseToken;
  }

  get job(): ClaimedJob {
    return this.attempt.job;
  }

  get outcome(): Outcome | undefined {
    return this.settlement?.outcome;
  }
}

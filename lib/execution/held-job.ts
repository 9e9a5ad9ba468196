import type { LeaseLostError } from '../job/errors.js';
import type { ClaimedJob } from '../job/job.js';
import type { Settlement } from '../queue/job-queue.js';
import type { LeaseRenewal } from '../queue/lease.js';
import type { ExponentialPause } from '../async/pauses.js';
import type { Attempt } from './attempt.js';

/**
 * How far the handler has come:
 * - `claimed`: the job has not been given to the dispatcher
 * - `waiting`: the job waits for a free slot
 * - `running`: the handler has been called and has not really ended
 * - `ended`: the handler has ended, or will never be called
 */
export type HandlerState = 'claimed' | 'waiting' | 'running' | 'ended';

/**
 * Where the lease stands:
 * - `held`: ours, and renewed
 * - `lost`: not ours any more, or no longer known to be ours
 * - `settling`: the outcome is being written
 * - `over`: the outcome was written or refused, or the job was given back or dropped
 */
export type LeaseState = 'held' | 'lost' | 'settling' | 'over';

/** An outcome on its way to the storage. */
export interface PendingSettlement extends Settlement {
  readonly heldJob: HeldJob;
  /** How many tries have failed. */
  failures: number;
  /** How many of these the storage refused, rather than losing the answer. */
  refusals: number;
  /** Created at the first failure. */
  pause?: ExponentialPause;
  /** Cancels the next try. */
  cancelRetry?: () => void;
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
}

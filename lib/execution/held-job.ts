import type { LeaseLostError } from '../job/errors.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { Settlement } from '../queue/job-queue.js';
import type { LeaseRenewal } from '../queue/lease.js';
import type { ExponentialPause } from '../async/pauses.js';
import type { Attempt } from './attempt.js';
import type { NoteListener } from './attempt-notes.js';

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
  leaseToken: number;
  readonly heldJob: HeldJob;
  /** It may be replaced, by `HeldJobs` alone. */
  outcome: Outcome;
  /** As the outcome says; it changes with it. */
  deletes: boolean;
  /** How many tries have failed. */
  failures: number;
  /** How many of these were refused, or not answered in time: the statement may be too large, or one outcome to blame. */
  refusals: number;
  /** How many of these were not answered in time. */
  lateAnswers: number;
  /** How often the storage has refused this outcome, sent with no other. */
  refusalsAlone: number;
  /** The outcome stands in the place of one that the storage refuses. */
  isSubstitute: boolean;
  /** Created at the first failure. */
  pause?: ExponentialPause;
  /** Cancels the next try. */
  cancelRetry?: () => void;
}

/** An outcome that has not been sent yet. */
export function pendingSettlement(heldJob: HeldJob, outcome: Outcome, deletes = false): PendingSettlement {
  const { id, leaseToken, lockedBy } = heldJob;
  return {
    id,
    leaseToken,
    lockedBy,
    kind: heldJob.job.kind,
    heldJob,
    outcome,
    deletes,
    failures: 0,
    refusals: 0,
    lateAnswers: 0,
    refusalsAlone: 0,
    isSubstitute: false,
  };
}

/** Writes what handlers note. */
export interface NoteSink {
  add(heldJob: HeldJob): void;
  refused(heldJob: HeldJob, error: unknown): void;
}

/** How many jobs of a kind are running or still to be started. */
export interface KindCount {
  count: number;
}

/** One claimed job, from its claim until its outcome is written. Its states change in `HeldJobs` alone. */
export class HeldJob implements LeaseRenewal, NoteListener {
  readonly id: string;
  leaseToken: number;
  readonly lockedBy: string;
  handler: HandlerState = 'claimed';
  lease: LeaseState = 'held';
  /** Why the lease is lost, if it is. */
  lost: LeaseLostError | undefined;
  /** Another transaction held a lock on the row when the lease was to be renewed. */
  isBusy = false;
  /** It was asked to end. */
  isStopping = false;
  /** It is given back when its handler has ended, whatever that returns: this is why. */
  leaving: Error | undefined;
  /** The storage refuses to renew this lease, so it is renewed apart from others. */
  isRenewalRefused = false;
  /** Its handler has done its work in a transaction, which writes the outcome and commits, or has done so. */
  isCommitting = false;
  /** What its transaction ended in, where it has written the outcome or could not. */
  transactionEnd: 'done' | 'snoozed' | 'lost' | undefined;
  settlement: PendingSettlement | undefined;
  noteSink: NoteSink | undefined;
  /** Where it counts while it has not ended. */
  kindCount: KindCount | undefined;

  constructor(
    readonly attempt: Attempt,
    /** By the monotonic clock of this process; never later than the storage's end of the lease. */
    public endsAt: number,
    /** Whether the job runs with no other beside it in this process. */
    public alone: boolean,
  ) {
    this.id = attempt.job.id;
    this.leaseToken = attempt.job.leaseToken;
    this.lockedBy = attempt.job.lockedBy;
    attempt.noteListener = this;
  }

  /** Whether the outcome may be written already, while its answer is on the way or lost. The lease is gone then, too. */
  get mayBeSettled(): boolean {
    return this.lease === 'settling' || this.isCommitting;
  }

  /** What a handler notes after its end, or after its lease, is not written. */
  noted(): void {
    if (this.lease === 'held') this.noteSink?.add(this);
  }

  noteRefused(error: unknown): void {
    this.noteSink?.refused(this, error);
  }

  get job(): ClaimedJob {
    return this.attempt.job;
  }
}

/** Names one claim of one job. The worker that has the current token may renew, settle and release the job. */
export interface Lease {
  readonly id: string;
  readonly leaseToken: number;
  /** The worker. A storage that has forgotten a claim, as after a fail-over, may give the same token once more. */
  readonly lockedBy: string;
}

/** A lease to be renewed, and whether its job runs with no other beside it in its process. */
export interface LeaseRenewal extends Lease {
  /** Only a job that ran alone is convicted when its worker dies; see `JobQueue.reclaim`. */
  readonly alone: boolean;
}

/** The leases that a worker holds at this moment. */
export type HeldLeases = () => readonly Lease[];

/** What a worker that is alive knows of its own claims. */
export interface OwnClaims {
  readonly workerId: string;
  /** Jobs that it held and lost lately: their attempts have begun. */
  readonly lostIds: readonly string[];
}

/** The terms of a claim. */
export interface LeaseTerms {
  /** The worker that claims, 1 to 255 characters. Kept with the job while it runs. */
  readonly workerId: string;
  /** How long the lease lasts if it is not renewed. */
  readonly leaseMs: number;
  /** The most jobs of a kind to claim. A kind without an entry is bound by the claim's limit alone. */
  readonly kindLimits?: ReadonlyMap<string, number>;
  /** The job runs with no other beside it in its process. Default: false. */
  readonly alone?: boolean;
  /**
   * How many bytes of payloads to claim, as they are stored: the claim ends with the job that reaches this. So it has at
   * least one job. Default: no bound.
   */
  readonly maxBytes?: number;
}

/**
 * What became of a write under a lease:
 * - `written`: the lease was ours
 * - `lost`: it is not ours any more; nothing was changed and nothing ever will be
 * - `busy`: another transaction holds a lock on the row; nothing was changed, try again
 * - `stale`: the row is older than the lease, because a server has answered that has not heard of the claim yet; nothing
 *   was changed, try again. If it stays like that until the lease has ended, the claim is forgotten.
 */
export type LeaseAnswer = 'written' | 'lost' | 'busy' | 'stale';

/** A running job was asked to end: its lease was renewed, so that its worker can end it. */
export interface StopRequest {
  /** Why; null where none was given. */
  readonly reason: string | null;
}

export type RenewalAnswer = LeaseAnswer | StopRequest;

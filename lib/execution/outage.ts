import type { JobsEvents } from '../events/jobs-events.js';
import type { ClaimedJob } from '../job/job.js';
import type { HeldJobs } from './held-jobs.js';

/** While outcomes cannot be written, it is said again after this time at the earliest. */
const TELL_AGAIN_AFTER_MS = 10_000;

/** A time in which outcomes could not be written: it lasts as long as one that has failed is still to be written. */
export interface OutageState {
  readonly since: Date;
  readonly lastError: unknown;
}

/** Tells of an outage of the storage when it begins, every ten seconds while it lasts, and when it is over. */
export class Outage {
  private state: (OutageState & { readonly beganAt: number; readonly failures: number }) | undefined;
  private readonly failed = new Set<object>();
  private toldAt = -Infinity;
  private isTold = false;

  constructor(
    private readonly held: Pick<HeldJobs, 'settlingCount'>,
    private readonly events: JobsEvents,
  ) {}

  /** Undefined where everything could be written so far. */
  get current(): OutageState | undefined {
    return this.state;
  }

  /** A try to write outcomes has failed. */
  begin(settlements: readonly { readonly heldJob: { readonly job: ClaimedJob } }[], error: unknown): void {
    for (const settlement of settlements) this.failed.add(settlement);
    const { since, beganAt, failures } = this.state ?? {
      since: new Date(),
      beganAt: performance.now(),
      failures: 0,
    };
    this.state = { since, beganAt, failures: failures + 1, lastError: error };
    const now = performance.now();
    if (now - this.toldAt < TELL_AGAIN_AFTER_MS) return;
    this.toldAt = now;
    this.isTold = true;
    const jobs = settlements.map(({ heldJob }) => heldJob.job);
    this.events.emit('settlesFailing', { jobs, unwritten: this.held.settlingCount, since, error });
  }

  /** An outcome is written, or nothing tries to write it any more. */
  end(settlement: object): void {
    if (!this.failed.delete(settlement) || this.failed.size > 0 || this.state === undefined) return;
    const { beganAt, failures } = this.state;
    this.state = undefined;
    if (!this.isTold) return;
    this.isTold = false;
    this.events.emit('settlesRecovered', { failures, ms: performance.now() - beganAt });
  }
}

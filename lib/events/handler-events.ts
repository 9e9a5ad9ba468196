import type { ClaimedJob } from '../job/job.js';

/** What comes of what handlers ask of their context. */
export interface HandlerEventMap {
  /** A job has been put back by its handler, no attempt spent, also in a transaction. It is ready again in `delayMs`. */
  readonly snoozed: { readonly job: ClaimedJob; readonly delayMs: number };
  /** The progress of a job has been written. */
  readonly progressed: {
    readonly job: ClaimedJob;
    /** JSON. */
    readonly progress: string;
  };
  /** A progress or a line that a handler has noted is dropped, because it cannot be stored. Told once for an attempt. */
  readonly noteRefused: { readonly job: ClaimedJob; readonly error: unknown };
  /**
   * What the handlers of so many jobs have noted could not be written; it is tried again while they run. `failures` counts
   * those in a row, this one included.
   */
  readonly notesFailed: { readonly count: number; readonly error: unknown; readonly failures: number };
}

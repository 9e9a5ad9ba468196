import type { JobEventType } from '../job/job-event.js';
import type { ClaimedJob, ReclaimedJob } from '../job/job.js';

/** What comes of the calls of an operator. */
export interface ControlEventMap {
  /** A job of this worker is to be cancelled: the signal of its handler aborts, or it is given back unstarted. */
  readonly stopRequested: { readonly job: ClaimedJob; readonly reason: string | null };
  /** Jobs that waited are `CANCELLED`, and that is committed. */
  readonly waitingCancelled: {
    readonly jobs: readonly { readonly id: string; readonly kind: string }[];
    readonly reason: string | null;
  };
  /** A job whose worker died was to be cancelled, and is `CANCELLED`. */
  readonly reclaimedCancelled: ReclaimedJob;
  /** This process has paused a kind, or changed its pause, and that is committed; `'*'` stands for all kinds. */
  readonly pauseCommitted: {
    readonly kind: string;
    /** When it ends by itself; null for never. */
    readonly until: Date | null;
    readonly reason: string | null;
  };
  /** This process has ended a pause that was in force, and that is committed. */
  readonly resumeCommitted: { readonly kind: string };
  /** The worker of this process starts no job of this kind any more; `'*'` stands for all kinds. */
  readonly kindPaused: {
    readonly kind: string;
    readonly since: Date;
    /** When it ends by itself; null for never. */
    readonly until: Date | null;
    readonly reason: string | null;
    /** Whether jobs that run are given back. */
    readonly stopsRunning: boolean;
  };
  /** The worker of this process starts jobs of this kind again, unless another pause stands against it. */
  readonly kindResumed: { readonly kind: string };
  /**
   * The worker could not read which kinds are paused, or could not tell that it is live; it tries again. After half a minute
   * it starts nothing until it could. `failures` counts those in a row, this one included.
   */
  readonly controlsFailed: { readonly error: unknown; readonly failures: number };
  readonly controlsRecovered: { readonly failures: number };
  /**
   * Events could not be written for listeners of other processes, who are told of a lag. `failures` counts those in a row,
   * this one included.
   */
  readonly eventsLost: { readonly error: unknown; readonly failures: number };
  /** Events of other processes could not be read. `failures` counts those in a row, this one included. */
  readonly eventsUnread: { readonly error: unknown; readonly failures: number };
  /** A method with `@OnJobEvent` has thrown; nothing else was affected. */
  readonly jobListenerFailed: {
    readonly listener: string;
    readonly type: JobEventType;
    readonly error: unknown;
  };
  /** Methods with `@OnJobEvent` whose class no provider of this application brings: `Mails.tellSupport`. */
  readonly listenersNotProvided: { readonly listeners: readonly string[] };
  /** Methods whose `@OnJobEvent` is lost, because another decorator has put another method in their place. */
  readonly listenersReplaced: { readonly listeners: readonly string[] };
}

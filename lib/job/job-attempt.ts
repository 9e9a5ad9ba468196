/**
 * Which attempts have a row of their own: those that did not simply succeed, all, or none. An attempt that was snoozed or given
 * back is none.
 */
export type AttemptHistory = 'failures' | 'all' | 'none';

/** How an attempt ended. `crashed`: its worker died, or froze for longer than its lease. */
export type AttemptOutcome = 'done' | 'retry' | 'failed' | 'panic' | 'cancelled' | 'crashed';

/** An attempt that has ended. */
export interface JobAttempt {
  /** 1 on the first. */
  readonly attempt: number;
  /** The worker that ran it. */
  readonly worker?: string;
  /** When it was claimed. */
  readonly startedAt?: Date;
  /** When its outcome was written. */
  readonly endedAt: Date;
  readonly outcome: AttemptOutcome;
  /** As in `lastError`; of a cancelled one, the reason. */
  readonly error?: string;
  /** When the job may run again; undefined where it has ended. */
  readonly nextAt?: Date;
}

/** How many attempts of a job are kept: the newest. */
export const ATTEMPTS_KEPT = 50;

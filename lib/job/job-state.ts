/**
 * `PENDING` until an attempt ends it: waiting, scheduled for later, running, or to be retried.
 * The other four are terminal; no worker touches such a job again.
 */
export type JobStatus = 'PENDING' | 'DONE' | 'FAILED' | 'PANIC' | 'CANCELLED';

/**
 * Where a job stands. `PENDING`, the status of all that have not ended, is told apart by when and by whom they run:
 *
 * - `scheduled`: its `runAt` has not come, and no attempt has been made yet
 * - `retrying`: its `runAt` has not come, and attempts have been made
 * - `ready`: a worker may take it now
 * - `blocked`: its `runAt` has come, and a limit holds it back. No job has this state yet.
 * - `running`: a worker holds it
 * - `stopping`: a worker holds it and has been asked to cancel it
 */
export type JobState = (typeof JOB_STATES)[number];

export const JOB_STATES = [
  'scheduled',
  'blocked',
  'ready',
  'retrying',
  'running',
  'stopping',
  'done',
  'failed',
  'panic',
  'cancelled',
] as const;

/** What the state follows from. */
export interface StateFacts {
  readonly status: JobStatus;
  /** Whether a worker holds the job. */
  readonly isHeld: boolean;
  readonly isCancelRequested: boolean;
  readonly runAtMs: number;
  /** How many attempts have ended. */
  readonly attemptsDone: number;
}

/** The one place where a state is worked out. @param nowMs by the clock of the storage */
export function stateOf(facts: StateFacts, nowMs: number): JobState {
  if (facts.status !== 'PENDING') return ENDED[facts.status];
  if (facts.isHeld) return facts.isCancelRequested ? 'stopping' : 'running';
  if (facts.runAtMs <= nowMs) return 'ready';
  return facts.attemptsDone > 0 ? 'retrying' : 'scheduled';
}

const ENDED = {
  DONE: 'done',
  FAILED: 'failed',
  PANIC: 'panic',
  CANCELLED: 'cancelled',
} as const satisfies Record<Exclude<JobStatus, 'PENDING'>, JobState>;

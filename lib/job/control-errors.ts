import { branded } from './copies.js';
import { JobsError, type WithCause } from './errors.js';
import type { Job } from './job.js';
import type { JobState } from './job-state.js';

/** The reason of `context.signal` when the job is to be cancelled. A handler that throws now leaves it `CANCELLED`. */
@branded('JobCancelledError')
export class JobCancelledError extends JobsError {
  constructor(
    readonly jobId: string,
    /** As it was given to `cancel`; null where none was. */
    readonly reason: string | null,
  ) {
    super(`Job ${jobId} is to be cancelled${reason === null ? '.' : `: ${reason}`}`);
  }
}

/** Thrown by a handler: the job is `CANCELLED` now, and no attempt follows. */
@branded('CancelJobError')
export class CancelJobError extends JobsError {
  constructor(
    /** Stored with the job. */
    readonly reason = 'The handler has cancelled the job.',
    options?: WithCause,
  ) {
    super(reason, options);
  }
}

/** A job can only be changed while it waits for its first or next attempt. Nothing was changed. */
@branded('JobNotWaitingError')
export class JobNotWaitingError extends JobsError {
  constructor(
    readonly jobId: string,
    /** Null: there is no such job. */
    readonly state: JobState | null,
  ) {
    super(
      state === null
        ? `There is no job ${jobId}; nothing was changed.`
        : `Job ${jobId} is ${state} and does not wait, so it cannot be changed; nothing was. ` +
            `${isRunning(state) ? 'Wait until it has ended, or cancel it' : 'Run it again with retry() or clone()'}.`,
    );
  }
}

/** A job runs, so it is not deleted. */
@branded('JobRunningError')
export class JobRunningError extends JobsError {
  constructor(readonly jobId: string) {
    super(
      `Job ${jobId} is running, so it was not deleted. Cancel it and delete it when it has ended, or delete it with ` +
        `{ force: true }: what its handler returns is thrown away then.`,
    );
  }
}

function isRunning(state: JobState): boolean {
  return state === 'running' || state === 'stopping';
}

/** A job that was waited for does not exist: it was deleted, or was never there. */
@branded('JobGoneError')
export class JobGoneError extends JobsError {
  constructor(readonly jobId: string) {
    super(
      `There is no job ${jobId}: it was deleted, also by its retention, or it was enqueued in a transaction that is not ` +
        `committed. Wait for a job after its transaction.`,
    );
  }
}

/** A job did not end in the time that was given. It goes on. */
@branded('WaitTimeoutError')
export class WaitTimeoutError extends JobsError {
  constructor(
    readonly jobId: string,
    readonly timeoutMs: number,
  ) {
    super(
      `Job ${jobId} did not end within the timeoutMs of ${timeoutMs} ms. It goes on, and may be waited for again.`,
    );
  }
}

/** The result of a job was waited for, and it ended otherwise than done. */
@branded('JobFailedError')
export class JobFailedError extends JobsError {
  constructor(
    /** As it ended: `FAILED`, `PANIC` or `CANCELLED`. */
    readonly job: Job,
  ) {
    const why = job.status === 'CANCELLED' ? job.cancelReason : job.lastError?.split('\n', 1)[0];
    super(`Job ${job.id} is ${job.status}${why === undefined ? '.' : `: ${why}`}`);
  }
}

/**
 * The reason of `context.signal` where a kind was paused with `stopRunning`. The job is given back with no attempt spent:
 * what the handler still returns is thrown away.
 */
@branded('JobPausedError')
export class JobPausedError extends JobsError {
  constructor(
    readonly kind: string,
    /** As it was given to `pause`; null where none was. */
    readonly reason: string | null,
  ) {
    super(`The kind "${kind}" is paused${reason === null ? '.' : `: ${reason}`}`);
  }
}

/** A worker has not heard of the controls for a while, so it starts nothing until it does. Its jobs are given back. */
@branded('ControlsUnknownError')
export class ControlsUnknownError extends JobsError {
  constructor() {
    super('The worker could not read lately which kinds are paused, so it starts no job until it can.');
  }
}

/** What was waited for did not come in the time that was given. What was written stays. */
@branded('KindTimeoutError')
export class KindTimeoutError extends JobsError {
  constructor(
    readonly kind: string,
    readonly timeoutMs: number,
    problem: string,
    /** The workers that were waited for, where it was these. */
    readonly workers: readonly string[] = [],
    options?: WithCause,
  ) {
    super(`The kind "${kind}" ${problem} within the timeoutMs of ${timeoutMs} ms.`, options);
  }
}

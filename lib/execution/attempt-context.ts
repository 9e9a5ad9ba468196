import type { EntityManager } from 'typeorm';
import { InvalidJobError, JobsError } from '../job/errors.js';
import type { ClaimedJob, JobContext } from '../job/job.js';
import type { JobLogLevel } from '../job/job-log.js';
import { describeNumber } from '../job/names.js';
import { isDelay, MAX_DELAY_MS } from '../job/retry.js';

/** Takes what a handler notes. Never throws. */
export interface NoteTaker {
  noteProgress(progress: unknown): void;
  noteLine(entry: unknown, level: JobLogLevel): void;
}

/** What the handler sees of its attempt. Its methods are getters, so that a handler may take them out of it. */
export class AttemptContext implements JobContext<never> {
  readonly attempt: number;
  readonly leaseToken: number;
  readonly workerId: string;
  /** What the handler has asked for by `snooze`; undefined where it has not. */
  snoozeMs: number | undefined;

  constructor(
    readonly job: ClaimedJob<never>,
    private readonly lazySignal: LazySignal,
    private readonly transactionManager: EntityManager | undefined,
    private readonly noteTaker: NoteTaker,
  ) {
    this.attempt = job.attemptsDone + 1;
    this.leaseToken = job.leaseToken;
    this.workerId = job.lockedBy;
  }

  get signal(): AbortSignal {
    return this.lazySignal.get();
  }

  get tick(): Date | undefined {
    return this.job.tick;
  }

  get snooze(): JobContext['snooze'] {
    return (ms) => {
      if (!isDelay(ms)) {
        const problem = `is ${describeNumber(ms)}; it must be milliseconds from 0 to ${MAX_DELAY_MS}.`;
        throw new InvalidJobError('ms', problem);
      }
      this.snoozeMs = Math.ceil(ms);
    };
  }

  get progress(): JobContext['progress'] {
    return (progress) => this.noteTaker.noteProgress(progress);
  }

  get log(): JobContext['log'] {
    return (entry, level = 'info') => this.noteTaker.noteLine(entry, level);
  }

  get manager(): EntityManager {
    if (this.transactionManager !== undefined) return this.transactionManager;
    throw new JobsError(
      `The handler of "${this.job.kind}" runs in no transaction, so its context has no manager: ` +
        `set { transactional: true } in its @JobHandler.`,
    );
  }
}

/** An abort signal that is made when it is first asked for. Most handlers never ask, and making one costs more than a job. */
export class LazySignal {
  private controller: AbortController | undefined;
  private abortReason: Error | undefined;

  get(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  /** Why it has aborted, if it has. */
  get reason(): Error | undefined {
    return this.abortReason;
  }

  abort(reason: Error): void {
    this.abortReason ??= reason;
    this.controller?.abort(reason);
  }
}

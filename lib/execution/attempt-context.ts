import type { EntityManager } from 'typeorm';
import { JobsError } from '../job/errors.js';
import type { ClaimedJob, JobContext } from '../job/job.js';

/** What the handler sees of its attempt. */
export class AttemptContext implements JobContext<never> {
  readonly attempt: number;
  readonly leaseToken: number;
  readonly workerId: string;

  constructor(
    readonly job: ClaimedJob<never>,
    private readonly lazySignal: LazySignal,
    private readonly transactionManager: EntityManager | undefined,
  ) {
    this.attempt = job.attemptsDone + 1;
    this.leaseToken = job.leaseToken;
    this.workerId = job.lockedBy;
  }

  get signal(): AbortSignal {
    return this.lazySignal.get();
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
  private reason: Error | undefined;

  get(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  abort(reason: Error): void {
    this.reason ??= reason;
    this.controller?.abort(reason);
  }
}

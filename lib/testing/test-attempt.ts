import type { JobsEvents } from '../events/jobs-events.js';
import { Attempt, type AttemptPolicy } from '../execution/attempt.js';
import { Executor } from '../execution/executor.js';
import type { Handler } from '../execution/handler-registry.js';
import type { HeldJob } from '../execution/held-job.js';
import { JobsError, JobTimeoutError } from '../job/errors.js';
import type { ClaimedJob, Job, JobContext } from '../job/job.js';
import { STATUS_AFTER } from '../job/outcome.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { LeaseRenewal } from '../queue/lease.js';
import type { WorkerSettings } from '../worker/worker-session.js';
import type { Plan } from './plans.js';
import type { RanJob } from './ran-job.js';
import type { TestClock } from './test-job-queue.js';

/** One attempt, run as a worker runs it, with what the test plans for it. */
export class TestAttempt {
  private readonly executor: Executor;
  private readonly heldJob: HeldJob;
  private readonly startedAt: number;
  private outcome: RanJob['outcome'] = 'lost';
  private error: unknown;
  private timeUp: ((error: Error) => void) | undefined;

  /** @param claimedAt `performance.now()` from before the claim */
  constructor(
    readonly job: ClaimedJob,
    private readonly handler: Handler,
    private readonly policy: AttemptPolicy,
    private readonly plan: Plan,
    private readonly tools: TestAttemptTools,
    claimedAt: number,
  ) {
    const { queue, settings, events, clock } = tools;
    this.startedAt = clock?.now() ?? 0;
    this.executor = new Executor(queue, settings, events);
    const attempt = new Attempt(
      job,
      (claimed, context) => this.handle(claimed, context),
      clock === undefined ? policy : { ...policy, timeoutMs: undefined },
    );
    this.heldJob = this.executor.hold(attempt, claimedAt, true);
  }

  get lease(): LeaseRenewal {
    return this.heldJob;
  }

  /** Runs the handler and writes what it ended in. */
  async toEnd(): Promise<RanJob> {
    const stopListening = this.listenForOutcome();
    this.executor.start();
    try {
      await this.executor.run(this.heldJob);
      await this.executor.held.noneSettling();
    } finally {
      await this.executor.stop();
      stopListening();
    }
    const { id, kind, attemptsDone } = this.job;
    const { outcome, error } = this;
    const job = (await this.tools.queue.get(id)) ?? this.deletedJob;
    return { id, kind, attempt: attemptsDone + 1, outcome, ...(error !== undefined && { error }), job };
  }

  /** A job that is not kept, as it was claimed, with what it has become. */
  private get deletedJob(): Job {
    const { outcome } = this;
    const status = outcome === 'lost' || outcome === 'crashed' ? this.job.status : STATUS_AFTER[outcome];
    return { ...this.job, status, attemptsDone: this.job.attemptsDone + 1 };
  }

  /** Does what happens when the worker freezes and another one takes the job back. The handler's signal aborts. */
  async loseLease(): Promise<void> {
    const { queue, settings } = this.tools;
    await queue.renew([this.lease], -1);
    await queue.reclaim(settings.maxCrashes);
    await this.executor.leases.markAlone(this.heldJob); // a renewal, which finds the lease lost
  }

  /** Aborts the handler where the clock has moved past its `timeoutMs`. */
  clockMoved(): void {
    const { timeoutMs } = this.policy;
    if (timeoutMs === undefined || this.tools.clock!.now() - this.startedAt < timeoutMs) return;
    const error = new JobTimeoutError(timeoutMs);
    this.heldJob.attempt.abort(error);
    this.timeUp?.(error);
  }

  /** For when the application closes: the outcome is thrown away, and the job is as if it had not been claimed. */
  giveBack(reason: Error): Promise<void> {
    return this.executor.giveBack([this.heldJob], reason);
  }

  private listenForOutcome(): () => void {
    const { events } = this.tools;
    const ends = [
      events.on('settled', ({ job, outcome }) => {
        if (job === this.job) this.outcome = outcome.type;
      }),
      events.on('settledInTransaction', ({ job }) => {
        if (job === this.job) this.outcome = 'done';
      }),
      events.on('snoozed', ({ job }) => {
        if (job === this.job) this.outcome = 'snoozed';
      }),
    ];
    return () => ends.forEach((end) => end());
  }

  private async handle(job: ClaimedJob<never>, context: JobContext<never>): Promise<unknown> {
    try {
      if (this.plan.losesLease) await this.loseLease();
      if (this.plan.failure !== undefined) throw this.plan.failure.error;
      return await this.withinTimeLimit(this.handler.run(job, context));
    } catch (error) {
      this.error = error;
      throw error;
    } finally {
      if (this.plan.crashes) this.crash();
    }
  }

  /** The limit is measured by the clock of the test. */
  private withinTimeLimit(running: unknown): Promise<unknown> {
    const timeUp = new Promise<never>((_resolve, reject) => (this.timeUp = reject));
    return Promise.race([running, timeUp]);
  }

  private crash(): void {
    this.outcome = 'crashed';
    this.executor.drop(this.heldJob, new JobsError('The test let the worker crash.'));
  }
}

export interface TestAttemptTools {
  readonly queue: JobQueue;
  readonly settings: WorkerSettings;
  readonly events: JobsEvents;
  /** Measures time limits. Undefined leaves them to the clock of the process. */
  readonly clock: TestClock | undefined;
}

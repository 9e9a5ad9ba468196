import { Attempt } from '../job/attempt.js';
import { JobsError, JobTimeoutError } from '../job/errors.js';
import { policyOf, type Handler } from '../job/handler.js';
import type { ClaimedJob, JobContext } from '../job/job.js';
import type { JobsLogger } from '../job/logger.js';
import { JobRun } from '../queue/job-run.js';
import type { JobQueue, JointAttempt, JointWork } from '../queue/job-queue.js';
import { LeaseKeeper } from '../queue/lease-keeper.js';
import { Settler } from '../queue/settler.js';
import type { WorkerSettings } from '../worker/worker.js';
import type { RanJob } from './ran-job.js';
import type { TestClock } from './test-job-queue.js';

/** What the test wants to happen to an attempt. */
export interface Plan {
  /** Thrown in the place of the handler. */
  readonly failure?: { readonly error: unknown };
  /** The worker dies when the handler has ended, before its outcome is written. */
  readonly crashes: boolean;
  /** The lease is lost when the handler begins. */
  readonly losesLease: boolean;
}

export interface TestRunTools {
  readonly queue: JobQueue;
  readonly settings: WorkerSettings;
  readonly logger: JobsLogger;
  /** Time limits go by it; undefined leaves them to the clock of the process. */
  readonly clock: TestClock | undefined;
}

/** One attempt, with the parts that a worker runs one with, and what the test does to it. */
export class TestRun {
  private readonly keeper: LeaseKeeper;
  private readonly run: JobRun;
  private readonly startedAt: number;
  private outcome: RanJob['outcome'] = 'lost';
  private error: unknown;
  private timeUp: ((error: Error) => void) | undefined;

  /** @param claimedAt `performance.now()` from before the claim */
  constructor(
    readonly job: ClaimedJob,
    private readonly handler: Handler,
    private readonly plan: Plan,
    private readonly tools: TestRunTools,
    claimedAt: number,
  ) {
    const { queue, settings, logger, clock } = tools;
    const policy = policyOf(handler.options, settings);
    this.startedAt = clock?.now() ?? 0;
    this.keeper = new LeaseKeeper(queue, settings, logger);
    const settler = new Settler(
      {
        settle: (settlements) => this.settle(settlements),
        isLinkFailure: (error) => queue.isLinkFailure(error),
      },
      logger,
    );
    const attempt = new Attempt(
      job,
      (claimed, context) => this.handle(claimed, context),
      clock === undefined ? policy : { ...policy, timeoutMs: undefined },
    );
    this.run = new JobRun(attempt, claimedAt, {
      queue: { settleTogether: (joint, work) => this.settleTogether(joint, work) },
      keeper: this.keeper,
      settler,
      logger,
      alone: true,
    });
  }

  get lease(): JobRun['lease'] {
    return this.run.lease;
  }

  /** Runs the handler and writes what it ended in. */
  async toEnd(): Promise<RanJob> {
    await this.run.run();
    await this.run.isWritten;
    this.keeper.drop(this.lease);
    const { id, kind, attemptsDone } = this.job;
    const job = (await this.tools.queue.get(id))!;
    const { outcome, error } = this;
    return { id, kind, attempt: attemptsDone + 1, outcome, ...(error !== undefined && { error }), job };
  }

  /** As when the worker froze, and another took the job back. The handler's signal aborts. */
  async loseLease(): Promise<void> {
    const { queue, settings } = this.tools;
    await queue.renew([this.lease], -1);
    await queue.reclaim(settings.maxCrashes);
    await this.keeper.markAlone(this.lease); // a renewal, which tells that the lease is lost
  }

  /** The clock was moved. */
  clockMoved(): void {
    const { timeoutMs } = this.handler.options;
    if (timeoutMs === undefined || this.tools.clock!.now() - this.startedAt < timeoutMs) return;
    const error = new JobTimeoutError(timeoutMs);
    this.run.attempt.abort(error);
    this.timeUp?.(error);
  }

  /** The application closes: the handler's outcome is thrown away, and the job is as if it had not been claimed. */
  async giveBack(reason: Error): Promise<void> {
    this.run.giveBack(reason);
    await this.tools.queue.release([this.lease]);
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

  /** By the clock of the test. */
  private withinTimeLimit(running: unknown): Promise<unknown> {
    const timeUp = new Promise<never>((_resolve, reject) => (this.timeUp = reject));
    return Promise.race([running, timeUp]);
  }

  private crash(): void {
    this.outcome = 'crashed';
    this.run.giveBack(new JobsError('The test let the worker crash.'));
  }

  private async settleTogether(attempt: JointAttempt, work: JointWork): Promise<'written' | 'lost'> {
    const answer = await this.tools.queue.settleTogether(attempt, work);
    if (answer === 'written') this.outcome = 'done';
    return answer;
  }

  private async settle(settlements: Parameters<JobQueue['settle']>[0]): ReturnType<JobQueue['settle']> {
    const answers = await this.tools.queue.settle(settlements);
    if (answers[0] === 'written') this.outcome = settlements[0]!.outcome.type;
    return answers;
  }
}

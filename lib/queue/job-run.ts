import type { Attempt } from '../job/attempt.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobsLogger } from '../job/logger.js';
import type { Outcome } from '../job/outcome.js';
import type { HeldLease, LeaseKeeper } from './lease-keeper.js';
import type { JobQueue } from './job-queue.js';
import { runJointly } from './joint-run.js';
import type { SettleAnswer, Settler } from './settler.js';

export interface JobRunTools {
  readonly queue: Pick<JobQueue, 'settleTogether'>;
  readonly keeper: LeaseKeeper;
  readonly settler: Settler;
  readonly logger: JobsLogger;
  /** The job was claimed to run with no other beside it. Default: false. */
  readonly alone?: boolean;
}

/** One claimed job on its way: its lease kept, its attempt run, its outcome written. */
export class JobRun {
  readonly lease: HeldLease;
  private givenBack = false;
  private written: Promise<void> | undefined;
  /** In a transaction that has not ended, or about to be. */
  private isJoint = false;

  /** @param claimedAt `performance.now()` from before the claim was sent */
  constructor(
    readonly attempt: Attempt,
    claimedAt: number,
    private readonly tools: JobRunTools,
  ) {
    this.lease = tools.keeper.hold(attempt.job, claimedAt, (error) => attempt.abort(error), tools.alone);
  }

  get job(): ClaimedJob {
    return this.attempt.job;
  }

  /** The handler is still at work on a job whose outcome nobody has written: what a shutdown gives back. */
  get isUnfinished(): boolean {
    return this.isJoint || (!this.attempt.hasEnded && this.written === undefined);
  }

  /**
   * Runs the attempt. Resolves when the handler has ended or its time is up, with its outcome on the way.
   * Never rejects.
   */
  async run(): Promise<void> {
    if (this.isOthers()) return; // since it was claimed
    const outcome = await (this.attempt.isTransactional ? this.runJointly() : this.attempt.run());
    if (this.givenBack || outcome === undefined) return;
    if (this.isLost() && outcome.type !== 'done') {
      // The handler obeyed the abort: what it threw says nothing about the job, which others will run again.
      this.tools.logger.debug(`Job ${this.job.id} (kind ${this.job.kind}) stopped after its lease was lost.`);
      return;
    }
    this.written = this.write(outcome);
  }

  /** Resolves when the outcome is written, refused, or nobody's business any more. Never rejects. */
  get isWritten(): Promise<void> {
    return this.written ?? Promise.resolve();
  }

  /** @returns the outcome that is still to be written, if there is any */
  private async runJointly(): Promise<Outcome | undefined> {
    const { queue, keeper, logger } = this.tools;
    this.isJoint = true;
    const end = await runJointly(this.attempt, this.lease.alone, queue, logger);
    this.isJoint = false;
    if (typeof end !== 'string') return end;
    keeper.drop(this.lease);
    if (end === 'written') logger.debug(`${this.name}: done, written.`);
    else logger.warn(`${this.name}: its lease is lost, so its transaction was rolled back.`);
    return undefined;
  }

  private async write(outcome: Outcome): Promise<void> {
    const answer = await this.tools.settler.settle(this.job, outcome);
    this.tools.keeper.drop(this.lease);
    this.report(outcome, answer);
  }

  /** A job that has ended badly wants a person; everything else is only told to who asks for it. */
  private report(outcome: Outcome, answer: SettleAnswer): void {
    const { logger } = this.tools;
    if (answer !== 'written' || outcome.type === 'done' || outcome.type === 'retry') {
      if (logger.isDebugEnabled?.() ?? true) logger.debug(`${this.name}: ${outcome.type}, ${answer}.`);
      return;
    }
    const { name } = this;
    const reason = outcome.lastError.split('\n', 1)[0]!;
    if (outcome.type === 'panic') logger.error(`${name} is PANIC and will not run again: ${reason}`);
    else logger.warn(`${name} is FAILED and will not run again: ${reason}`);
  }

  private isOthers(): boolean {
    return this.givenBack || this.isLost();
  }

  private isLost(): boolean {
    return this.lease.lost !== undefined;
  }

  private get name(): string {
    const { id, kind, attemptsDone } = this.job;
    return `Job ${id} (kind ${kind}, attempt ${attemptsDone + 1})`;
  }

  /** From here on the attempt's outcome is thrown away; the caller releases the lease. */
  giveBack(reason: Error): void {
    this.givenBack = true;
    this.tools.keeper.drop(this.lease);
    this.attempt.abort(reason);
  }
}

import { describeError } from '../job/describe-error.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobsLogger } from '../job/logger.js';
import { endsWithin } from '../job/timers.js';
import type { JobRun } from '../queue/job-run.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { Lease } from '../queue/lease.js';
import { Dispatcher } from './dispatcher.js';
import { Pace } from './pace.js';
import { backoffMs, pollPauseMs } from './pacing.js';
import { Slots } from './slots.js';
import { Suspects } from './suspects.js';
import { WakeSignal } from './wake-signal.js';

export interface ClaimLoopSettings {
  readonly workerId: string;
  readonly kinds: readonly string[];
  readonly kindLimits: ReadonlyMap<string, number>;
  readonly concurrency: number;
  readonly pollIntervalMs: number;
  readonly leaseMs: number;
  readonly maxCrashes: number;
}

/** What the loop does with the jobs it claims. */
export interface ClaimedJobs {
  /** Keeps the lease of a claimed job. */
  hold(job: ClaimedJob, claimedAt: number): JobRun;
  /** Renews what has run out. Never rejects. */
  catchUp(): Promise<void>;
  /** The leases of all jobs that are claimed and have not been given back or written yet. */
  leases(): readonly Lease[];
  /** Runs it. Resolves when its handler has ended; never rejects. */
  run(run: JobRun): Promise<void>;
  /** Resolves when everything that handlers ended in is written. */
  allWritten(): Promise<void>;
  /** Handlers have lately kept the event loop for so long that the jobs beside them were at risk. */
  isBlocked(): boolean;
  /** How many outcomes are still to be written. */
  unwritten(): number;
  /** Records that nothing else runs in this process. @returns whether the lease is still ours */
  setApart(run: JobRun): Promise<boolean>;
  /** Lets others have them, no attempt spent. Never rejects. */
  giveBack(runs: readonly JobRun[]): Promise<void>;
}

/** A job claimed ahead that has not been started by then is given back: its turn was misjudged. */
const MAX_WAIT_MS = 1_000;
/** Where more outcomes than this wait to be written, the next claim waits until there are fewer. */
const MAX_UNWRITTEN = 3_000;
const UNWRITTEN_LOOK_MS = 50;

/**
 * Claims jobs for all free slots, and ahead of them as many as will be started within the next moment at the pace
 * it sees; starts them; and waits: for slots, where there may be more jobs, or else until it is woken or the poll
 * interval is over.
 */
export class ClaimLoop {
  /** Once stopped: resolves when whatever was claimed and not started has been given back. */
  allGivenBack: Promise<unknown> = Promise.resolve();
  private readonly slots: Slots;
  private readonly dispatcher: Dispatcher;
  private readonly suspects: Suspects;
  private readonly pace: Pace;
  private readonly wakeSignal = new WakeSignal();
  private unwatch: (() => void) | undefined;
  private readonly ended: Promise<void>;
  private claiming: Promise<unknown> = Promise.resolve();
  private stopping = false;
  private failures = 0;
  /** The last claim was bound by its limits and not by what was ready: there may be more. */
  private lastWasFull = false;
  /** How many jobs to hold ready beyond the free slots. */
  private ahead = 0;
  /** The last claim brought a job that was with a worker that died: if this one dies too, few shall die with it. */
  private isCareful = false;

  constructor(
    private readonly queue: JobQueue,
    private readonly settings: ClaimLoopSettings,
    private readonly logger: JobsLogger,
    private readonly jobs: ClaimedJobs,
  ) {
    this.slots = new Slots(settings.concurrency, settings.kindLimits);
    this.pace = new Pace(settings.concurrency);
    this.dispatcher = new Dispatcher(
      this.slots,
      (run) => jobs.run(run),
      (kind, ms) => this.handlerEnded(kind, ms),
    );
    this.suspects = new Suspects(this.slots, this.dispatcher, settings, logger, jobs);
    this.ended = this.loop();
  }

  /** There may be jobs to claim. */
  wake(): void {
    this.wakeSignal.wake();
  }

  /** Claims no more, and gives back what has not been started. Resolves when every running handler has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.suspects.stop();
    this.unwatch?.();
    this.wake();
    this.allGivenBack = Promise.allSettled([
      this.jobs.giveBack(this.dispatcher.takeWaiting()),
      this.claiming,
    ]);
    await this.allGivenBack;
    await this.ended;
    await this.dispatcher.allEnd();
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        const claimed = await (this.claiming = this.claim());
        this.succeeded();
        await this.startAll(claimed);
        if (!this.wantsMore()) await this.waitForJobs();
      } catch (error) {
        this.failed(error);
        await this.wakeSignal.wait(backoffMs(this.failures));
      }
    }
  }

  private async claim(): Promise<JobRun[]> {
    while (this.jobs.unwritten() > MAX_UNWRITTEN) {
      if (this.stopping) return [];
      await endsWithin(this.jobs.allWritten(), UNWRITTEN_LOOK_MS);
    }
    if (this.failures > 0) await this.releaseUnheld();
    const claimedAt = performance.now();
    if (!this.lastWasFull || this.isCareful) this.pace.reset(claimedAt);
    this.ahead = this.jobs.isBlocked() ? 0 : this.pace.ahead(claimedAt);
    const open = this.settings.kinds.filter((kind) => this.slots.hasRoom(kind));
    const limit = this.room;
    if (open.length === 0 || limit <= 0) return [];
    const { workerId, leaseMs } = this.settings;
    const kindLimits = this.slots.room;
    const claimed = await this.queue.claim(open, limit, { workerId, leaseMs, kindLimits });
    this.lastWasFull = isFull(claimed, limit, kindLimits);
    this.isCareful = claimed.some((job) => job.crashes > 0);
    for (const { kind } of claimed) this.slots.claimed(kind);
    const runs = claimed.map((job) => this.jobs.hold(job, claimedAt));
    // Others may have them by now; what is lost is not started.
    if (performance.now() - claimedAt >= leaseMs) await this.jobs.catchUp();
    if (!this.stopping) return runs;
    await this.giveBack(runs);
    return [];
  }

  /** What a claim has taken whose answer was lost: others need not wait until its lease has run out. */
  private async releaseUnheld(): Promise<void> {
    const count = await this.queue.releaseUnheld(this.settings.workerId, this.jobs.leases());
    if (count > 0) this.logger.log(`Gave back ${count} jobs that were claimed and never heard of.`);
  }

  private async startAll(claimed: readonly JobRun[]): Promise<void> {
    const suspects = claimed.filter((run) => this.suspects.includes(run));
    if (suspects.length === 0) {
      this.dispatcher.add(claimed);
      if (this.isCareful) await this.giveBackWaiting();
      return;
    }
    await this.giveBack(claimed.filter((run) => !suspects.includes(run)));
    await this.giveBackWaiting();
    await this.suspects.run(suspects);
  }

  /** How many jobs may be claimed now. */
  private get room(): number {
    const { waitingCount, isIdle } = this.dispatcher;
    if (this.jobs.isBlocked()) return isIdle && waitingCount === 0 ? 1 : 0;
    return this.slots.free + this.ahead - waitingCount;
  }

  /** Whether the next claim should be sent at once: there may be more, and half of what is held ready has been used. */
  private wantsMore(): boolean {
    if (!this.lastWasFull) return false;
    const isLow = this.dispatcher.waitingCount <= this.ahead / 2;
    return isLow && this.room > 0 && this.settings.kinds.some((kind) => this.slots.hasRoom(kind));
  }

  private handlerEnded(kind: string, ms: number): void {
    this.pace.count(ms);
    if (this.wantsMore() || this.settings.kindLimits.has(kind)) this.wake();
  }

  /** While there is work there is nothing to be told: the first wait begins to listen, and another claim comes after that. */
  private async waitForJobs(): Promise<void> {
    if (this.stopping) return;
    if (this.unwatch === undefined) {
      this.watch();
      return;
    }
    const pollMs = pollPauseMs(this.settings.pollIntervalMs);
    const hasWaiting = this.dispatcher.waitingCount > 0;
    await this.wakeSignal.wait(hasWaiting ? Math.min(pollMs, MAX_WAIT_MS) : pollMs);
    if (this.jobs.isBlocked() || this.dispatcher.hasWaitedLongerThan(MAX_WAIT_MS))
      await this.giveBackWaiting();
  }

  private watch(): void {
    const served = new Set(this.settings.kinds);
    this.unwatch = this.queue.watch((kinds) => {
      if (kinds !== null && !kinds.some((kind) => served.has(kind))) return false;
      this.wake();
      // Where handlers run already, a worker of another process may be the better one.
      return this.dispatcher.isIdle && this.room > 0 && kinds?.every((kind) => served.has(kind)) === true;
    });
  }

  private async giveBackWaiting(): Promise<void> {
    this.pace.reset(performance.now());
    await this.jobs.giveBack(this.dispatcher.takeWaiting());
  }

  private async giveBack(runs: readonly JobRun[]): Promise<void> {
    for (const { job } of runs) this.slots.gone(job.kind);
    await this.jobs.giveBack(runs);
  }

  private failed(error: unknown): void {
    this.failures += 1;
    if (this.failures > 1) return;
    this.logger.error(`Could not claim jobs; trying again until it works: ${describeError(error)}`);
  }

  private succeeded(): void {
    if (this.failures > 0) this.logger.log(`Claims jobs again after ${this.failures} failures.`);
    this.failures = 0;
  }
}

/** Whether a claim got all that it asked for, in sum or of some kind. */
function isFull(
  claimed: readonly ClaimedJob[],
  limit: number,
  kindLimits: ReadonlyMap<string, number>,
): boolean {
  if (claimed.length >= limit) return true;
  const countOf = (kind: string) => claimed.filter((job) => job.kind === kind).length;
  return [...kindLimits].some(([kind, room]) => room > 0 && countOf(kind) >= room);
}

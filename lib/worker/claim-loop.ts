import { describeError } from '../job/describe-error.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobsLogger } from '../job/logger.js';
import type { JobRun } from '../queue/job-run.js';
import type { JobQueue } from '../queue/job-queue.js';
import { backoffMs, jittered } from './pacing.js';
import { Slots } from './slots.js';
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
  /** Runs it. Resolves when its handler has ended; never rejects. */
  run(run: JobRun): Promise<void>;
  /** Records that nothing else runs in this process. @returns whether the lease is still ours */
  setApart(run: JobRun): Promise<boolean>;
  /** Lets others have them, no attempt spent. Never rejects. */
  giveBack(runs: readonly JobRun[]): Promise<void>;
}

/**
 * Claims as many jobs as there are free slots, starts them, and waits: for a slot where there may be more jobs, or else
 * until it is woken or the poll interval is over.
 *
 * A job whose workers have died under it is a suspect. It may have killed them, or it may have been beside the one that
 * did. It is run with nothing beside it, so that if the process dies again, it is known which job it was.
 */
export class ClaimLoop {
  private readonly slots: Slots;
  private readonly wakeSignal = new WakeSignal();
  private readonly running = new Set<Promise<void>>();
  private readonly unwatch: () => void;
  private readonly ended: Promise<void>;
  private stopping = false;
  private failures = 0;
  /** The last claim was bound by the free slots and not by what was ready: there may be more. */
  private lastWasFull = false;

  constructor(
    private readonly queue: JobQueue,
    private readonly settings: ClaimLoopSettings,
    private readonly logger: JobsLogger,
    private readonly jobs: ClaimedJobs,
  ) {
    this.slots = new Slots(settings.concurrency, settings.kindLimits);
    const served = new Set(settings.kinds);
    this.unwatch = queue.watch((kinds) => {
      if (kinds.some((kind) => served.has(kind))) this.wake();
    });
    this.ended = this.loop();
  }

  /** There may be jobs to claim. */
  wake(): void {
    this.wakeSignal.wake();
  }

  /** Claims no more. Resolves when every handler that was started has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.unwatch();
    this.wake();
    await this.ended;
    await Promise.all(this.running);
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        const suspects = await this.claimAndStart();
        this.succeeded();
        if (suspects.length > 0) await this.runSuspects(suspects);
        else if (!this.lastWasFull || !this.hasRoom()) await this.waitForJobs();
      } catch (error) {
        this.failed(error);
        await this.wakeSignal.wait(backoffMs(this.failures));
      }
    }
  }

  /** @returns the suspects among the claimed jobs, held and not started */
  private async claimAndStart(): Promise<JobRun[]> {
    const open = this.settings.kinds.filter((kind) => this.slots.hasRoom(kind));
    if (open.length === 0) return [];
    const { workerId, leaseMs } = this.settings;
    const claimedAt = performance.now();
    const [limit, kindLimits] = [this.slots.free, this.slots.room];
    const claimed = await this.queue.claim(open, limit, { workerId, leaseMs, kindLimits });
    this.lastWasFull = isFull(claimed, limit, kindLimits);
    const runs = claimed.map((job) => this.jobs.hold(job, claimedAt));
    for (const run of runs) this.slots.take(run.job.kind);
    if (this.stopping) {
      await this.giveBack(runs);
      return [];
    }
    for (const run of runs) if (!this.isSuspect(run)) void this.start(run);
    return runs.filter((run) => this.isSuspect(run));
  }

  private isSuspect({ job }: JobRun): boolean {
    return job.crashes >= Math.max(1, this.settings.maxCrashes - 1);
  }

  private start(run: JobRun): Promise<void> {
    const { kind } = run.job;
    const running = this.jobs.run(run).then(() => {
      const wasBlocked = !this.slots.hasRoom(kind);
      this.running.delete(running);
      this.slots.give(kind);
      if (wasBlocked || this.lastWasFull) this.wake();
    });
    this.running.add(running);
    return running;
  }

  /**
   * Runs suspects one after the other, each alone. Where a handler does not end within the time of a lease, they are
   * not kept waiting any longer; a crash is then nobody's conviction.
   */
  private async runSuspects(suspects: readonly JobRun[]): Promise<void> {
    const idle = await this.idleWithin(this.settings.leaseMs);
    for (const [place, run] of suspects.entries()) {
      if (this.stopping) return this.giveBack(suspects.slice(place));
      if (!idle) void this.start(run);
      else if (await this.setApart(run)) await this.start(run);
      else await this.giveBack([run]);
    }
  }

  private async setApart(run: JobRun): Promise<boolean> {
    const name = `Job ${run.job.id} (kind ${run.job.kind})`;
    try {
      this.logger.debug(`${name} runs alone after ${run.job.crashes} crashes.`);
      return await this.jobs.setApart(run);
    } catch (error) {
      this.logger.warn(`${name} could not be set apart from others: ${describeError(error)}`);
      return false;
    }
  }

  private async giveBack(runs: readonly JobRun[]): Promise<void> {
    for (const { job } of runs) this.slots.give(job.kind);
    await this.jobs.giveBack(runs);
  }

  private async idleWithin(ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (this.running.size > 0 && !this.stopping && performance.now() < end) {
      void Promise.race(this.running).then(() => {
        this.wake();
      });
      await this.wakeSignal.wait(end - performance.now());
    }
    return this.running.size === 0;
  }

  private waitForJobs(): Promise<void> {
    return this.wakeSignal.wait(jittered(this.settings.pollIntervalMs));
  }

  private hasRoom(): boolean {
    return this.settings.kinds.some((kind) => this.slots.hasRoom(kind));
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

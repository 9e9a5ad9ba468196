import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeError } from '../job/describe-error.js';
import type { JobsLogger } from '../job/logger.js';
import { sleep } from '../job/timers.js';
import type { JobQueue, ReclaimedJob } from '../queue/job-queue.js';
import type { HeldLeases } from '../queue/lease.js';
import { backoffMs, jittered } from './pacing.js';

export interface SweeperSettings {
  readonly leaseMs: number;
  readonly maxCrashes: number;
}

/** Of the worker, which is alive: what ran out while it could not renew is not taken back by it. */
export interface OwnLeases {
  /** Renews what has run out. Never rejects. */
  catchUp(): Promise<void>;
  /** Of jobs that run, and of those whose outcomes are still to be written. */
  readonly leases: HeldLeases;
}

const MAX_INTERVAL_MS = 15_000;

/** Takes back the jobs of workers that died, at the start and then twice in the time of a lease. */
export class Sweeper {
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  private failures = 0;

  /**
   * @param onReady called when jobs have become ready again
   */
  constructor(
    private readonly queue: Pick<JobQueue, 'reclaim'>,
    private readonly settings: SweeperSettings,
    private readonly logger: JobsLogger,
    private readonly own: OwnLeases,
    private readonly onReady: () => void,
  ) {
    this.ended = this.loop();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
  }

  private async loop(): Promise<void> {
    const intervalMs = Math.min(this.settings.leaseMs / 2, MAX_INTERVAL_MS);
    do await this.sweep();
    while (
      await sleep(this.failures > 0 ? backoffMs(this.failures) : jittered(intervalMs), this.stopping.signal)
    );
  }

  private async sweep(): Promise<void> {
    try {
      await nextTurn(); // where the process stood still, what a claim has brought meanwhile is read first
      await this.own.catchUp();
      const reclaimed = await this.queue.reclaim(this.settings.maxCrashes, this.own.leases);
      this.failures = 0;
      for (const job of reclaimed) this.report(job);
      if (reclaimed.length > 0) this.onReady();
    } catch (error) {
      this.failures += 1;
      if (this.failures > 1) return;
      this.logger.warn(`Could not look for jobs of dead workers, trying again: ${describeError(error)}`);
    }
  }

  private report({ id, kind, workerId, crashes, status }: ReclaimedJob): void {
    const death = `Job ${id} (kind ${kind}) lost its worker ${workerId}, crash ${crashes}`;
    if (status === 'PANIC')
      this.logger.error(`${death}: it ran alone, so it is PANIC and will not run again.`);
    else this.logger.warn(`${death}: it is ready again.`);
  }
}

import { Loop, type Startable } from '../async/loop.js';
import { ExponentialPause, jittered } from '../async/pauses.js';
import { sleep } from '../async/timers.js';
import { nextTurn } from '../async/turn.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { Executor } from '../execution/executor.js';
import type { JobQueue } from '../queue/job-queue.js';

export interface ReclaimerSettings {
  readonly workerId: string;
  readonly leaseMs: number;
  readonly maxCrashes: number;
}

const MAX_INTERVAL_MS = 15_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

const EVENTS = { PENDING: 'reclaimed', PANIC: 'convicted', CANCELLED: 'reclaimedCancelled' } as const;

/** Takes back the jobs of workers that died: at the start, and then twice in the time of a lease. */
export class Reclaimer implements Startable {
  private readonly intervalMs: number;
  private readonly loop = new Loop((signal) => this.turn(signal), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS),
    onFailure: (error, failures) => this.events.emit('reclaimFailed', { error, failures }),
  });

  /**
   * @param own of this worker: its own leases are renewed before a reclaim and left out of it, so that a worker never
   * reclaims from itself
   * @param onReady called when jobs have become ready again
   */
  constructor(
    private readonly queue: Pick<JobQueue, 'reclaim'>,
    private readonly own: Pick<Executor, 'held' | 'leases'>,
    private readonly settings: ReclaimerSettings,
    private readonly events: JobsEvents,
    private readonly onReady: () => void,
  ) {
    this.intervalMs = Math.min(settings.leaseMs / 2, MAX_INTERVAL_MS);
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async turn(signal: AbortSignal): Promise<void> {
    await this.reclaim();
    await sleep(jittered(this.intervalMs), signal);
  }

  private async reclaim(): Promise<void> {
    await nextTurn(); // after a freeze, the answer to a claim may still have to be read
    await this.own.leases.catchUp();
    const { maxCrashes, workerId } = this.settings;
    const { held } = this.own;
    const own = { workerId, lostIds: held.lostAttempts.ids };
    const reclaimed = await this.queue.reclaim(maxCrashes, () => held.leases, own);
    const dead = reclaimed.filter((job) => job.workerId !== workerId || own.lostIds.includes(job.id));
    for (const job of dead) this.events.emit(EVENTS[job.status], job);
    const count = reclaimed.length - dead.length;
    if (count > 0) this.events.emit('gaveBackUnheld', { count });
    if (reclaimed.length > 0) this.onReady();
  }
}

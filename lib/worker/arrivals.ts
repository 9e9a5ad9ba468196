import { sleep } from '../async/timers.js';
import { WakeSignal } from '../async/wake-signal.js';
import type { JobQueue } from '../queue/job-queue.js';
import { DueTimer } from './due-timer.js';
import { Pulse } from './pulse.js';
import { WakeThrottle } from './wake-throttle.js';

/** How a worker learns that there may be jobs to claim: it is woken, a scheduled job is due, or a time has passed. */
export class Arrivals {
  /** Of the loop that waits here. */
  readonly pulse = new Pulse();
  private readonly wakeSignal = new WakeSignal();
  private readonly throttle = new WakeThrottle();
  private readonly dueTimer = new DueTimer(() => this.wake());
  private readonly served: ReadonlySet<string>;
  private unwatch: (() => void) | undefined;

  constructor(
    private readonly queue: Pick<JobQueue, 'watch'>,
    kinds: readonly string[],
  ) {
    this.served = new Set(kinds);
  }

  get isWatching(): boolean {
    return this.unwatch !== undefined;
  }

  /**
   * Begins to hear of jobs from the queue.
   *
   * @param isFree whether the worker would start them at once
   */
  watch(isFree: () => boolean): void {
    this.unwatch = this.queue.watch((kinds, inMs = 0) => {
      if (kinds !== null && !kinds.some((kind) => this.served.has(kind))) return false;
      if (inMs > 0) {
        this.dueTimer.within(inMs);
        return false;
      }
      this.wake();
      return kinds?.every((kind) => this.served.has(kind)) === true && isFree();
    });
  }

  /** There may be jobs to claim. */
  wake(): void {
    this.wakeSignal.wake();
  }

  /** Resolves when there may be jobs to claim, or after `ms`. */
  wait(ms: number): Promise<void> {
    this.pulse.beat(ms);
    return this.wakeSignal.wait(ms);
  }

  /** Waits longer where the worker was woken in vain again and again. */
  async throttled(signal: AbortSignal): Promise<void> {
    const pauseMs = this.throttle.pauseMs(performance.now());
    if (pauseMs > 0) await sleep(pauseMs, signal);
  }

  /** A claim was answered. @param count how many jobs it brought */
  claimed(count: number): void {
    this.throttle.claimed(count, performance.now());
  }

  /** Hears of nothing more, and ends the wait. */
  stop(): void {
    this.unwatch?.();
    this.dueTimer.stop();
    this.wake();
  }
}

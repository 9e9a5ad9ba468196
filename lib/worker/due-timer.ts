import { after } from '../async/timers.js';

/**
 * The least time between two calls. Jobs that come due one after another within it are claimed together: the first starts
 * on time, and none of them this much late.
 */
const SPACING_MS = 10;
/** A longer time sets no timer. Polls tell of the job again. */
const MAX_MS = 2 ** 31 - 1;

/** Calls back when the next of the jobs is due that it has been told of: one call, however many are due by then. */
export class DueTimer {
  private dueAt = Infinity;
  private lastAt = -Infinity;
  private cancel: (() => void) | undefined;

  constructor(private readonly onDue: () => void) {}

  /** A job is due in so many milliseconds. */
  within(ms: number): void {
    if (ms > MAX_MS) return;
    const at = Math.max(performance.now() + ms, this.lastAt + SPACING_MS);
    if (at >= this.dueAt) return;
    this.stop();
    this.dueAt = at;
    this.wait();
  }

  /** Forgets all jobs. */
  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.dueAt = Infinity;
  }

  /** A timer may fire a little early. A claim that came before the job is due would be in vain. */
  private wait(): void {
    const now = performance.now();
    if (now < this.dueAt) {
      this.cancel = after(Math.ceil(this.dueAt - now), () => this.wait());
      return;
    }
    this.stop();
    this.lastAt = now;
    this.onDue();
  }
}

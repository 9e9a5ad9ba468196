/** How far ahead a worker claims: what it will start within this time, at the pace that it measures. */
const AHEAD_MS = 250;
/**
 * The same where handlers take longer than `LONG_MS`. There it only has to cover the time of a claim; more than that would
 * keep jobs waiting here while another worker has free slots.
 */
const AHEAD_OF_LONG_MS = 25;
const LONG_MS = 100;
const MAX_AHEAD = 1000;
/** A shorter window says too little. */
const MIN_WINDOW_MS = 5;
/** The weight of the newest measurement. */
const WEIGHT = 0.5;

/**
 * Measures how fast handlers end while there is more to do, and tells how many jobs to claim ahead of free slots.
 *
 * Handlers that started together end together, so a moment in which ten end says nothing about the next second. The pace
 * therefore never exceeds what the slots allow, given how long those handlers took.
 */
export class Prefetch {
  private perMs = 0;
  private aheadMs = AHEAD_MS;
  private ended = 0;
  private busyMs = 0;
  private since: number | undefined;

  /** @param slots how many handlers run at once */
  constructor(private readonly slots: number) {}

  /** A handler has ended. @param ms how long it took */
  count(ms: number): void {
    this.ended += 1;
    this.busyMs += ms;
  }

  /** How many jobs to hold ready beyond the free slots. @param now by `performance.now()` */
  ahead(now: number): number {
    this.since ??= now;
    const windowMs = now - this.since;
    if (windowMs >= MIN_WINDOW_MS) {
      const possible = this.busyMs === 0 ? Infinity : (this.slots * this.ended) / this.busyMs;
      const measured = Math.min(this.ended / windowMs, possible);
      if (this.ended > 0) this.aheadMs = this.busyMs > LONG_MS * this.ended ? AHEAD_OF_LONG_MS : AHEAD_MS;
      this.perMs += (this.perMs === 0 ? 1 : WEIGHT) * (measured - this.perMs);
      this.startWindow(now);
    }
    return Math.min(Math.floor(this.perMs * this.aheadMs), MAX_AHEAD);
  }

  /** Forgets the pace: there was nothing more to do, or what was claimed ahead has waited too long. */
  reset(now: number): void {
    this.perMs = 0;
    this.startWindow(now);
  }

  private startWindow(now: number): void {
    this.since = now;
    this.ended = 0;
    this.busyMs = 0;
  }
}

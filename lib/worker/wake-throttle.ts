/** The least time between two claims where wakes bring nothing. */
const SPACING_MS = 20;
/** So many claims in a row may find nothing, each soon after the one before, until the next one has to wait. */
const FREE_CLAIMS = 10;

/**
 * Bounds the claims of a worker that is woken again and again without a reason: anyone who may connect to a PostgreSQL
 * server may notify its workers. A worker that finds a job now and then is never held up, and of several workers that hear of
 * each job the one that got the last is not.
 */
export class WakeThrottle {
  private inVain = 0;
  private lastClaimAt = -Infinity;

  /** How long the next claim has to wait. @param now by `performance.now()` */
  pauseMs(now: number): number {
    const leftMs = this.lastClaimAt + SPACING_MS - now;
    if (leftMs <= 0) this.inVain = 0;
    return this.inVain < FREE_CLAIMS ? 0 : leftMs;
  }

  /** A claim was answered. @param count how many jobs it brought */
  claimed(count: number, now: number): void {
    this.lastClaimAt = now;
    this.inVain = count > 0 ? 0 : this.inVain + 1;
  }
}

/** Looks within the time of a lease. */
const LOOKS_PER_LEASE = 4;

/**
 * When to look for jobs that are claimed for this worker and were never heard of. The answer to a claim that failed may
 * have been lost; and a claim that was given up may be carried out later, as when a commit waits for a standby. So the
 * look is repeated for the time of a lease: what lands after that is taken back as from a dead worker.
 */
export class UnheldClaims {
  private until = -Infinity;
  private nextLookAt = -Infinity;

  constructor(private readonly leaseMs: number) {}

  /** A claim has failed. @param now by `performance.now()` */
  failed(now: number): void {
    this.until = now + this.leaseMs;
    this.nextLookAt = now;
  }

  isDue(now: number): boolean {
    return now < this.until && now >= this.nextLookAt;
  }

  /** A look has succeeded. */
  looked(now: number): void {
    this.nextLookAt = now + this.leaseMs / LOOKS_PER_LEASE;
  }
}

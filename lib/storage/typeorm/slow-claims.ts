import type { JobsEvents } from '../../events/jobs-events.js';

/** A transaction of somebody that has not ended. */
export interface OpenTransaction {
  readonly openMs: number;
  /** Whose it is, for a person to find it. */
  readonly description: string;
}

/** A claim takes less than a millisecond, or some 20 where it takes a thousand jobs. */
const SLOW_MS = 100;
/** A shorter transaction does no harm. */
const LONG_TRANSACTION_MS = 60_000;
const MIN_PAUSE_BETWEEN_LOOKS_MS = 60_000;
const MIN_PAUSE_BETWEEN_WARNINGS_MS = 300_000;

/**
 * Says why claims have become slow where a transaction is the reason that has been open for minutes: what was settled
 * since cannot be removed from the index, and claims step over it.
 */
export class SlowClaims {
  private lastLook = -Infinity;
  private lastWarning = -Infinity;

  /** @param longTransaction finds the one that has been open for longest, and for more than so many milliseconds */
  constructor(
    private readonly longTransaction: (ms: number) => Promise<OpenTransaction | null>,
    private readonly events: JobsEvents,
  ) {}

  /** A claim has taken so long. Resolves when it is known why, where anybody asks. Never rejects. */
  async took(ms: number): Promise<void> {
    const now = performance.now();
    if (ms < SLOW_MS || now - this.lastLook < MIN_PAUSE_BETWEEN_LOOKS_MS) return;
    if (now - this.lastWarning < MIN_PAUSE_BETWEEN_WARNINGS_MS) return;
    this.lastLook = now;
    // The application's account may not be allowed to see the others: then nothing is said.
    const found = await this.longTransaction(LONG_TRANSACTION_MS).catch(() => null);
    if (found === null) return;
    this.lastWarning = now;
    this.events.emit('claimsSlow', { claimMs: ms, ...found });
  }
}

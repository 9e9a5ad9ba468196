import type { JobsEvents } from '../../events/jobs-events.js';
import type { OpenTransaction } from '../sql/dialect.js';

/** A claim takes less than a millisecond, and some 20 if it claims a thousand jobs. */
const SLOW_MS = 100;
/** A shorter transaction does no harm. */
const LONG_TRANSACTION_MS = 60_000;
const MIN_PAUSE_BETWEEN_LOOKS_MS = 60_000;
const MIN_PAUSE_BETWEEN_WARNINGS_MS = 300_000;

/**
 * Says why claims have become slow if the reason is a transaction that has been open for minutes: what was settled since
 * cannot be removed from the index, and claims step over it.
 */
export class SlowClaims {
  private lastLook = -Infinity;
  private lastWarning = -Infinity;

  /** @param longTransaction finds the one that has been open for longest, and for more than these milliseconds */
  constructor(
    private readonly longTransaction: (ms: number) => Promise<OpenTransaction | null>,
    private readonly events: JobsEvents,
  ) {}

  /** A claim has taken `ms`. Resolves when it is known why, if it was slow enough to be asked. Never rejects. */
  async took(ms: number): Promise<void> {
    const now = performance.now();
    if (ms < SLOW_MS || now - this.lastLook < MIN_PAUSE_BETWEEN_LOOKS_MS) return;
    if (now - this.lastWarning < MIN_PAUSE_BETWEEN_WARNINGS_MS) return;
    this.lastLook = now;
    // If the application's account may not see other transactions, nothing is said.
    const found = await this.longTransaction(LONG_TRANSACTION_MS).catch(() => null);
    if (found === null) return;
    this.lastWarning = now;
    this.events.emit('claimsSlow', { claimMs: ms, ...found });
  }
}

import { sleep } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { Executor } from '../execution/executor.js';

/** The next claim waits while more outcomes than this are unwritten, or more bytes of them. */
const MAX_UNWRITTEN = 3_000;
const MAX_UNWRITTEN_BYTES = 64 * 1024 * 1024;
const LOOK_MS = 50;
/** A shorter wait is not told of: a fast worker may have this many outcomes under way at any moment. */
const TELL_AFTER_MS = 1_000;

/** What has run and is not written yet. It must not grow without end while the storage is away. */
export class Backlog {
  constructor(
    private readonly executor: Pick<Executor, 'held' | 'outage'>,
    private readonly events: JobsEvents,
  ) {}

  /** Resolves when few outcomes are unwritten, or soon after the signal has aborted. */
  async isSmall(signal: AbortSignal): Promise<void> {
    if (!this.isLarge()) return;
    const beganAt = performance.now();
    let isTold = false;
    while (this.isLarge() && (await sleep(LOOK_MS, signal))) {
      if (isTold || performance.now() - beganAt < TELL_AFTER_MS) continue;
      isTold = true;
      this.tell();
    }
    if (isTold) this.events.emit('claimsResumed', { ms: performance.now() - beganAt });
  }

  private isLarge(): boolean {
    const { settlingCount, settlingBytes } = this.executor.held;
    return settlingCount > MAX_UNWRITTEN || settlingBytes > MAX_UNWRITTEN_BYTES;
  }

  private tell(): void {
    const { held, outage } = this.executor;
    this.events.emit('claimsPaused', {
      unwritten: held.settlingCount,
      bytes: held.settlingBytes,
      since: outage?.since,
      error: outage?.lastError,
    });
  }
}

import { Semaphore } from '../../async/semaphore.js';
import { withTimeLimit } from '../../async/timers.js';
import { DashboardRefusal } from '../web/refusal.js';

/** How long a page may wait for the database. */
export const READ_LIMIT_MS = 5_000;
/** How many reads are under way at once: the application needs its connections itself. */
const AT_ONCE = 3;

/** Reads of the dashboard: few at once, and none that a page waits for without end. */
export class BoundedReads {
  private readonly turns = new Semaphore(AT_ONCE);

  constructor(private readonly limitMs = READ_LIMIT_MS) {}

  /**
   * A read that takes too long goes on, and keeps its turn until it has ended, so that those that follow do not pile up in the
   * database.
   *
   * @throws DashboardRefusal `too-slow`
   */
  async run<T>(read: () => Promise<T>): Promise<T> {
    const late = new AbortController();
    const work = this.inTurn(read, late.signal);
    return withTimeLimit(work, this.limitMs, () => {
      const refusal = new DashboardRefusal(
        'too-slow',
        `The database has not answered within ${this.limitMs / 1000} s. Ask for less: fewer kinds, a shorter time, no text of errors or payloads.`,
      );
      late.abort(refusal);
      return refusal;
    });
  }

  private async inTurn<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.turns.acquire(signal);
    try {
      return await read();
    } finally {
      this.turns.release();
    }
  }
}

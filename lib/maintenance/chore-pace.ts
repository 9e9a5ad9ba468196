import { sleep } from '../async/timers.js';

/** After each batch, a chore pauses for so many times as long as the batch took: it works a twentieth of the time. */
const PAUSE_SHARE = 19;
/** While jobs wait for this worker it works a fiftieth of the time: what it deletes can wait, and they cannot. */
const BUSY_PAUSE_SHARE = 49;

/** How fast chores go through the tables. */
export class ChorePace {
  /** @param isBehind whether more jobs are ready than this worker can run now */
  constructor(private readonly isBehind: () => boolean) {}

  /**
   * Does one batch, and pauses.
   *
   * @param signal ends the pause
   */
  async batch<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const begun = performance.now();
    const done = await work();
    const share = this.isBehind() ? BUSY_PAUSE_SHARE : PAUSE_SHARE;
    await sleep((performance.now() - begun) * share, signal);
    return done;
  }
}

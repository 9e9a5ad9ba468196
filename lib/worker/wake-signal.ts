import { sleep } from '../job/timers.js';

/** Lets one loop wait until it is woken or a time has passed. A wake that nobody waits for is kept for the next wait. */
export class WakeSignal {
  private woken = false;
  private waiting: AbortController | undefined;

  wake(): void {
    this.woken = true;
    this.waiting?.abort();
  }

  async wait(ms: number): Promise<void> {
    if (!this.woken) {
      this.waiting = new AbortController();
      await sleep(ms, this.waiting.signal);
      this.waiting = undefined;
    }
    this.woken = false;
  }
}

/** The longest that a timer takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Lets one loop wait until it is woken or a time has passed. A wake that nobody waits for is kept for the next wait. */
export class WakeSignal {
  private woken = false;
  private endWait: (() => void) | undefined;

  wake(): void {
    this.woken = true;
    this.endWait?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, MAX_TIMEOUT_MS));
        this.endWait = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.endWait = undefined;
    }
    this.woken = false;
  }
}

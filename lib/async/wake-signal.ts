import { after } from './timers.js';

/** Lets one loop wait until it is woken or a time has passed. A wake that comes between two waits ends the next one. */
export class WakeSignal {
  private isWoken = false;
  private endWait: (() => void) | undefined;

  wake(): void {
    this.isWoken = true;
    this.endWait?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.isWoken) {
      await new Promise<void>((resolve) => {
        const cancel = after(ms, resolve);
        this.endWait = () => {
          cancel();
          resolve();
        };
      });
      this.endWait = undefined;
    }
    this.isWoken = false;
  }
}

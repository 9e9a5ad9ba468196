/** Lets a limited number of holders in at once; the others wait for their turn. */
export class Semaphore {
  private readonly waiting: (() => void)[] = [];

  /** @param free how many may hold it at once */
  constructor(private free: number) {}

  /** Resolves when the caller holds it. @throws the reason of the signal, where that aborts first */
  async acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      const enter = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(enter);
    });
  }

  /** Lets the next one in. */
  release(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}

/** What was read a moment ago: all who ask for it in the meantime share one read. */
export class Remembered<T> {
  private reading: Promise<T> | undefined;
  private readAt = -Infinity;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly maxAgeMs: number,
  ) {}

  /** A read that has failed is not remembered. */
  get(): Promise<T> {
    const isFresh = performance.now() - this.readAt < this.maxAgeMs;
    if (this.reading !== undefined && isFresh) return this.reading;
    this.readAt = performance.now();
    const reading = this.read();
    this.reading = reading;
    reading.catch(() => {
      if (this.reading === reading) this.reading = undefined;
    });
    return reading;
  }

  /** The next who asks reads anew. */
  forget(): void {
    this.reading = undefined;
  }
}

import { randomFillSync } from 'node:crypto';

const RANDOM_BYTES_AT_ONCE = 4096;
const RANDOM_BYTES_PER_ID = 8;
const COUNTER_BITS = 12;

/**
 * Makes UUIDv7 (RFC 9562) that rise within one process, also within one millisecond, so that jobs run in the order in
 * which they were enqueued. The 12 bits after the time are a counter (method 1 of section 6.2); where it overflows, the time moves
 * one millisecond ahead.
 */
export class UuidV7 {
  private readonly random = Buffer.alloc(RANDOM_BYTES_AT_ONCE);
  private used = RANDOM_BYTES_AT_ONCE;
  private millis = 0;
  private counter = 0;

  next(now = Date.now()): string {
    this.tick(now);
    const time = this.millis.toString(16).padStart(12, '0');
    const counter = this.counter.toString(16).padStart(3, '0');
    const tail = this.randomHex();
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  }

  private tick(now: number): void {
    if (now > this.millis) {
      this.millis = now;
      this.counter = 0;
    } else if (++this.counter >= 1 << COUNTER_BITS) {
      this.millis += 1;
      this.counter = 0;
    }
  }

  private randomHex(): string {
    if (this.used + RANDOM_BYTES_PER_ID > RANDOM_BYTES_AT_ONCE) {
      randomFillSync(this.random);
      this.used = 0;
    }
    const start = this.used;
    this.used += RANDOM_BYTES_PER_ID;
    this.random[start] = (this.random[start]! & 0x3f) | 0x80; // the variant
    return this.random.toString('hex', start, this.used);
  }
}

import { randomFillSync } from 'node:crypto';

const RANDOM_BYTES_AT_ONCE = 4096;
const RANDOM_BYTES_PER_ID = 8;
const HEX_PER_ID = 2 * RANDOM_BYTES_PER_ID;
const COUNTER_BITS = 12;

/**
 * Makes UUIDv7 (RFC 9562) that rise within one process, also within one millisecond, so that jobs run in the order in
 * which they were enqueued. The 12 bits after the time are a counter (method 1 of section 6.2); where it overflows, the time moves
 * one millisecond ahead.
 */
export class UuidV7 {
  private readonly random = Buffer.alloc(RANDOM_BYTES_AT_ONCE);
  /** The random parts of the next ids, one after the other. */
  private tails = '';
  private used = 0;
  private millis = 0;
  /** All of an id that says when it was made. */
  private head = '';
  private counter = 0;

  next(now = Date.now()): string {
    this.tick(now);
    const counter = this.counter.toString(16).padStart(3, '0');
    return `${this.head}${counter}-${this.tail()}`;
  }

  private tick(now: number): void {
    if (now > this.millis) this.begin(now);
    else if (++this.counter >= 1 << COUNTER_BITS) this.begin(this.millis + 1);
  }

  private begin(millis: number): void {
    const time = millis.toString(16).padStart(12, '0');
    this.millis = millis;
    this.counter = 0;
    this.head = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  }

  private tail(): string {
    if (this.used === this.tails.length) this.refill();
    const start = this.used;
    this.used += HEX_PER_ID;
    return `${this.tails.slice(start, start + 4)}-${this.tails.slice(start + 4, this.used)}`;
  }

  private refill(): void {
    randomFillSync(this.random);
    for (let start = 0; start < RANDOM_BYTES_AT_ONCE; start += RANDOM_BYTES_PER_ID)
      this.random[start] = (this.random[start]! & 0x3f) | 0x80; // the variant
    this.tails = this.random.toString('hex');
    this.used = 0;
  }
}

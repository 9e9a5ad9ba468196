import { branded } from '../job/copies.js';
import { InvalidOptionError } from '../job/errors.js';
import { MemoryJobQueue, type MemoryJobQueueSettings } from '../storage/memory/memory-job-queue.js';

/** A clock that stands still until the test moves it. */
export class TestClock {
  /** @param time milliseconds since 1970. Default: now. */
  constructor(private time = Date.now()) {}

  /** Milliseconds since 1970. */
  now(): number {
    return this.time;
  }

  /** @throws InvalidOptionError where `ms` is no number, or would move the clock back */
  advance(ms: number): void {
    if (!(ms >= 0 && Number.isFinite(ms)))
      throw new InvalidOptionError('ms', ms, 'a number of milliseconds from 0');
    this.time += ms;
  }
}

/** The queue in memory, with a clock that the test moves. */
@branded('TestJobQueue')
export class TestJobQueue extends MemoryJobQueue {
  constructor(
    settings: Partial<MemoryJobQueueSettings> = {},
    readonly clock = new TestClock(),
  ) {
    super(settings, () => clock.now());
  }
}

/**
 * Whether a loop still turns. Each step of the loop says when the next one is expected; a loop that is late has stopped, or
 * waits for something that has no end. Instants are of `performance.now()`.
 */
export class Pulse {
  private expectedAt = Infinity;
  private pending = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A sign of life. @param nextInMs when the next one is expected at the latest, in milliseconds */
  beat(nextInMs = 0): void {
    this.expectedAt = this.now() + nextInMs;
  }

  /** Waits for something that may take as long as it likes, such as a handler, or the end of an outage. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.pending += 1;
    try {
      return await work;
    } finally {
      this.pending -= 1;
      this.beat();
    }
  }

  /** No more signs are expected. */
  stop(): void {
    this.expectedAt = Infinity;
  }

  /** How late the next sign of life is, in milliseconds; 0 where it is in time, or none is expected. */
  get silentMs(): number {
    return this.pending > 0 ? 0 : Math.max(0, this.now() - this.expectedAt);
  }
}

/** How the loops of a worker are, in milliseconds. */
export interface WorkerVitals {
  /** For how long one of its loops has given no sign of life. */
  readonly silentMs: number;
  /**
   * For how long it has started no job because it does not know what operators have said, though the database answers. In an
   * outage of the database it is 0: a new process would know no more.
   */
  readonly fencedMs: number;
}

/**
 * Where a worker stands:
 * - `unstarted`: the application has not started it yet
 * - `idle`: it serves no kind, so there is nothing to start
 * - `stopping`: it claims nothing any more, and waits for its handlers
 */
export type WorkerState = 'unstarted' | 'idle' | 'running' | 'stopping' | 'stopped';

import { sleep } from './timers.js';

/** A number from 0 up to 1. The one source of chance for pauses. */
export const random = (): number => Math.random();

/** About `ms`: a quarter more or less, so that many processes do not act at the same moment. */
export function jittered(ms: number): number {
  return ms * (0.75 + random() / 2);
}

/**
 * A pause between two polls: a little longer than `ms`, so that an idle worker sends less than one statement in that
 * time, everything else that it sends included.
 */
export function pollPauseMs(ms: number): number {
  return ms * (1.3 + random() * 0.1);
}

/** The pauses between tries of something that fails: each is twice as long as the one before, with jitter. */
export class ExponentialPause {
  private lastMs = 0;

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
  ) {}

  /** The length of the next pause, in milliseconds. */
  next(): number {
    this.lastMs = Math.min(this.lastMs === 0 ? this.firstMs : this.lastMs * 2, this.maxMs);
    return jittered(this.lastMs);
  }

  /** Waits for the next pause. @returns false where the signal aborted first */
  wait(signal?: AbortSignal): Promise<boolean> {
    return sleep(this.next(), signal);
  }

  /** It works again: the next pause is the first. */
  reset(): void {
    this.lastMs = 0;
  }
}

import type { Outcome } from '../job/outcome.js';
import { runOnceWithin, runWithinAll, type Around } from './run-within.js';

/** What an attempt ended in, as far as its process knows: whether that can be written is still to be seen. */
export interface AttemptEnd {
  /**
   * As in `Outcome`; or `'lost'` where the lease was lost, and `'released'` where the job was given back meanwhile. Then
   * another attempt follows, whatever the handler did.
   */
  readonly type: Outcome['type'] | 'lost' | 'released';
  /** What was thrown, where something was. */
  readonly error?: unknown;
  /** The lease was lost, but the handler has done its work, so its outcome is offered to the storage nevertheless. */
  readonly isLeaseLost?: boolean;
}

/** Stands around an attempt, its transaction included. */
export interface AttemptWatch {
  /** Begins the attempt: what is active then stays so until its end. Without this, nothing is. @returns what `work` returns */
  run?<Result>(work: () => Result): Result;
  /** The attempt has ended. Called within what is active for it. */
  ended(end: AttemptEnd): void;
}

/** One that stands for several, the first outermost. */
export class AttemptWatches implements Required<AttemptWatch> {
  constructor(private readonly watches: readonly GuardedAttempt[]) {}

  run<Result>(work: () => Result): Result {
    return runWithinAll(this.watches, work);
  }

  ended(end: AttemptEnd): void {
    for (const one of this.watches.toReversed()) one.ended(end);
  }
}

/** One of somebody else, which may have faults. */
export class GuardedAttempt implements Required<AttemptWatch> {
  constructor(
    private readonly watch: AttemptWatch,
    private readonly tell: (error: unknown) => void,
  ) {}

  run<Result>(work: () => Result): Result {
    const { watch } = this;
    return watch.run === undefined ? work() : runOnceWithin(watch as Around, work, this.tell);
  }

  ended(end: AttemptEnd): void {
    try {
      this.watch.ended(end);
    } catch (error) {
      this.tell(error);
    }
  }
}

/** A chore that this worker does just now, and no other. */
export interface TakenChore {
  /** What the last worker that did it has left for the next one; null where there is nothing. */
  readonly reached: string | null;
  /** The storage's clock when it was taken, in milliseconds since 1970. */
  readonly now: number;
}

/** How a worker leaves a chore. */
export interface ChoreRest {
  /** In how many milliseconds it is due again; 0 where it is not finished. */
  readonly dueInMs: number;
  /** What the next worker that does it needs to know. Null forgets it. */
  readonly reached: string | null;
}

/**
 * Which worker of the cluster does a chore. A worker takes it for a limited time by the storage's clock; if the worker
 * dies, the chore is free when that time is over.
 */
export abstract class ChoreStore {
  /** Which of these chores are due and free, the one that has been due for longest first. Writes nothing. */
  abstract due(names: readonly string[]): Promise<string[]>;

  /**
   * Takes a chore that is due and free.
   *
   * @param holder the worker
   * @param holdMs for how long, if it is not given back sooner
   * @returns null where it is not due, or another worker has it
   */
  abstract take(name: string, holder: string, holdMs: number): Promise<TakenChore | null>;

  /** Gives a chore back. Changes nothing where another worker has taken it in the meantime. */
  abstract giveBack(name: string, holder: string, rest: ChoreRest): Promise<void>;
}

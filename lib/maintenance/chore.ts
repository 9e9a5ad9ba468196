import type { ChoreRest, TakenChore } from '../queue/chore-store.js';

/** Something that one worker of the cluster does at a time. */
export interface Chore {
  /** 1 to 255 characters; the same in every process. */
  readonly name: string;

  /**
   * Does what there is to do, in short transactions with pauses between them. It ends soon after the signal has aborted:
   * the worker stops, or another chore is to have its turn. What is left is done in the next turn, perhaps by another
   * worker, so everything that was done must stay done.
   *
   * @returns when it is due again, 0 where there is more to do; and what the next turn needs to know
   */
  run(signal: AbortSignal, taken: TakenChore): Promise<ChoreRest>;
}

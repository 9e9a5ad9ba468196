import { ChoreStore, type ChoreRest, type TakenChore } from '../../queue/chore-store.js';

interface StoredChore {
  heldBy?: string;
  heldUntil: number;
  dueAt: number;
  reached: string | null;
}

const NEVER_DONE: StoredChore = { heldUntil: -Infinity, dueAt: -Infinity, reached: null };

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/** The chores of a queue in memory. */
export class MemoryChores extends ChoreStore {
  private readonly chores = new Map<string, StoredChore>();

  constructor(private readonly now: () => number) {
    super();
  }

  async due(names: readonly string[]): Promise<string[]> {
    const due = names.filter((name) => this.isFree(name));
    return due.toSorted((one, other) => this.chore(one).dueAt - this.chore(other).dueAt || 0);
  }

  async take(name: string, holder: string, holdMs: number): Promise<TakenChore | null> {
    if (!this.isFree(name)) return null;
    const { reached, dueAt } = this.chore(name);
    const now = this.now();
    this.chores.set(name, { heldBy: holder, heldUntil: now + holdMs, dueAt, reached });
    return { reached, now };
  }

  async giveBack(name: string, holder: string, { dueInMs, reached }: ChoreRest): Promise<void> {
    if (this.chore(name).heldBy !== holder) return;
    this.chores.set(name, { heldUntil: -Infinity, dueAt: this.now() + dueInMs, reached });
  }

  private isFree(name: string): boolean {
    const { heldUntil, dueAt } = this.chore(name);
    return heldUntil < this.now() && dueAt <= this.now();
  }

  private chore(name: string): StoredChore {
    return this.chores.get(name) ?? NEVER_DONE;
  }
}

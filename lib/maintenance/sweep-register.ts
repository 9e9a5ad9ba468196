import type { ChoreRest } from '../queue/chore-store.js';
import type { KindStore } from '../queue/kind-store.js';
import type { Chore } from './chore.js';
import type { ChorePace } from './chore-pace.js';

const HOUR_MS = 3_600_000;

/** Deletes workers that ended without a word, counts that no one asks for any more, and pauses that are over. */
export class SweepRegister implements Chore {
  readonly name = 'register';

  constructor(
    private readonly store: Pick<KindStore, 'sweep'>,
    private readonly pace: ChorePace,
  ) {}

  async run(signal: AbortSignal): Promise<ChoreRest> {
    while (!signal.aborted) {
      const count = await this.pace.batch(() => this.store.sweep(), signal);
      if (count === 0) return { dueInMs: HOUR_MS, reached: null };
    }
    return { dueInMs: 0, reached: null };
  }
}

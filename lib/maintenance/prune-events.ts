import type { ChoreRest, TakenChore } from '../queue/chore-store.js';
import type { EventStore } from '../queue/event-store.js';
import type { Chore } from './chore.js';
import type { ChorePace } from './chore-pace.js';

/** How long an event waits for listeners that are cut off. */
const KEPT_MS = 10 * 60_000;
const MINUTE_MS = 60_000;

/** Deletes events that every listener has had time to read. */
export class PruneEvents implements Chore {
  readonly name = 'events';

  constructor(
    private readonly store: Pick<EventStore, 'prune'>,
    private readonly pace: ChorePace,
  ) {}

  async run(signal: AbortSignal, _taken: TakenChore): Promise<ChoreRest> {
    for (let total = 0; !signal.aborted;) {
      const count = await this.pace.batch(() => this.store.prune(KEPT_MS), signal);
      if (count === 0) return { dueInMs: total > 0 ? MINUTE_MS : KEPT_MS, reached: null };
      total += count;
    }
    return { dueInMs: 0, reached: null };
  }
}

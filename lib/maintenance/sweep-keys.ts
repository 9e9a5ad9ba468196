import type { ChoreRest, TakenChore } from '../queue/chore-store.js';
import type { KeyPosition, UniqueJobStore } from '../queue/unique-job-store.js';
import type { Chore } from './chore.js';
import type { ChorePace } from './chore-pace.js';

const HOUR_MS = 3_600_000;

/** Deletes unique keys that no job holds any more. Enqueues do not need it: it keeps their table from growing for ever. */
export class SweepKeys implements Chore {
  readonly name = 'keys';

  constructor(
    private readonly store: Pick<UniqueJobStore, 'sweep'>,
    private readonly pace: ChorePace,
  ) {}

  async run(signal: AbortSignal, { reached }: TakenChore): Promise<ChoreRest> {
    let position = parse(reached);
    do {
      const from = position;
      position = (await this.pace.batch(() => this.store.sweep(from), signal)).reached;
    } while (position !== null && !signal.aborted);
    if (position === null) return { dueInMs: HOUR_MS, reached: null };
    return { dueInMs: 0, reached: JSON.stringify(position) };
  }
}

/** @param reached what a turn has left; anything else begins at the first key */
function parse(reached: string | null): KeyPosition | null {
  try {
    const position = JSON.parse(reached ?? 'null') as Partial<KeyPosition> | null;
    const { kind, key } = position ?? {};
    return typeof kind === 'string' && typeof key === 'string' ? { kind, key } : null;
  } catch {
    return null;
  }
}

import { createHash } from 'node:crypto';
import type { JobsEvents } from '../events/jobs-events.js';
import type { Retention } from '../job/retention.js';
import type { ChoreRest, TakenChore } from '../queue/chore-store.js';
import type { RetentionStore } from '../queue/retention-store.js';
import type { Chore } from './chore.js';
import type { ChorePace } from './chore-pace.js';
import { PruneMap, type PrunePace } from './prune-map.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How late a job may be deleted, as a share of the time for which it is kept. */
const LATE_SHARE = 1 / 20;

/** Deletes jobs that were settled long enough ago. */
export class PruneSettled implements Chore {
  readonly name = 'retention';
  private readonly mapPace: PrunePace;
  private readonly key: string;

  constructor(
    private readonly store: RetentionStore,
    private readonly retention: Retention,
    private readonly pace: Pick<ChorePace, 'batch'>,
    private readonly events: JobsEvents,
  ) {
    this.mapPace = paceOf(retention);
    this.key = createHash('sha256').update(String(retention)).digest('base64url').slice(0, 16);
  }

  async run(signal: AbortSignal, { reached, now }: TakenChore): Promise<ChoreRest> {
    const map = PruneMap.read(reached, this.key, now, this.mapPace);
    let count = 0;
    for (let range = map.next(); range !== null && !signal.aborted; range = map.next()) {
      const part = range;
      const pruned = await this.pace.batch(() => this.store.prune(this.retention, part), signal);
      map.pruned(pruned);
      count += pruned.deleted;
    }
    if (count > 0) this.events.emit('pruned', { count });
    // Within an hour it notices that another release keeps jobs for another time.
    return { dueInMs: Math.min(map.dueInMs(), HOUR_MS), reached: map.toString() };
  }
}

/** Jobs that are deleted with their settlement are here only if something else has settled them, which is rare. */
function paceOf(retention: Retention): PrunePace {
  const shortestMs = Math.min(...retention.ages.map((ms) => (ms === 0 ? HOUR_MS : ms)));
  return { shortestMs, minMs: Math.min(Math.max(shortestMs * LATE_SHARE, MINUTE_MS), HOUR_MS) };
}

/**
 * Deletes at once everything that is due. For tests, and for a process that is no worker.
 * @returns how many jobs were deleted
 */
export async function pruneAll(store: RetentionStore, retention: Retention): Promise<number> {
  let count = 0;
  let from: string | null = null;
  do {
    const pruned = await store.prune(retention, { from, until: null });
    count += pruned.deleted;
    from = pruned.reached;
  } while (from !== null);
  return count;
}

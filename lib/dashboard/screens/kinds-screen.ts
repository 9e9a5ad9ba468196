import type { KindStats } from '../../client/kind-stats.js';
import type { HistoryLook } from '../../queue/kind-counts.js';
import { ALL_KINDS } from '../../queue/kind-store.js';
import type { KindRow, Kinds, PauseRow } from '../api/screens.js';
import { NO_SPARK, sparks } from './rates.js';

/** GET api/kinds. @param allPaused the pause of all kinds */
export function kindsScreen(
  stats: readonly KindStats[],
  history: HistoryLook,
  allPaused: PauseRow | null,
): Kinds {
  return { now: Math.floor(history.now), kinds: kindRows(stats, history), allPaused };
}

export function kindRows(stats: readonly KindStats[], history: HistoryLook): KindRow[] {
  const ofKind = sparks(history);
  return stats.map((kind) => ({
    ...kind,
    paused: kind.paused === null ? null : pauseRow(kind.paused),
    spark: ofKind.get(kind.kind) ?? NO_SPARK,
  }));
}

export function pauseRow({
  kind,
  since,
  until,
  reason,
  stopsRunning,
}: NonNullable<KindStats['paused']>): PauseRow {
  return {
    kind,
    since: since.getTime(),
    until: until === null ? null : until.getTime(),
    reason,
    stopsRunning,
  };
}

export function isOfAll(pause: { readonly kind: string }): boolean {
  return pause.kind === ALL_KINDS;
}

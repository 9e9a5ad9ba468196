import { Histogram } from '../job/histogram.js';
import { compareIds } from '../job/id-order.js';
import {
  BACKLOG_COUNTED,
  MINUTES_COUNTED,
  type CountsLook,
  type DueKind,
  type KindBacklog,
  type KindCounts,
  type StoredCounts,
} from '../queue/kind-counts.js';
import { ALL_KINDS, pauseOf, type Controls, type StoredPause } from '../queue/kind-store.js';
import type { LiveWorker } from './live-worker.js';

const MINUTE_MS = 60_000;

/** A number that was not counted beyond 1,000. */
export interface CappedCount {
  readonly value: number;
  /** There may be more. */
  readonly capped: boolean;
}

/** In milliseconds, to within 9 %. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** How a kind fares in the whole cluster. */
export interface KindStats {
  readonly kind: string;
  /** Jobs that may be claimed, also where the kind is paused. */
  readonly ready: CappedCount;
  /** For how long the oldest of those that were counted has been ready, in milliseconds; null where there is none. */
  readonly oldestReadyMs: number | null;
  /**
   * Scheduled jobs and retries that are not due, among the first 1,000 of all kinds. Where other kinds have most of those,
   * there may be more of this kind later, though it is not `capped`.
   */
  readonly scheduled: CappedCount;
  /** Jobs that are due and wait for something else than a worker. There are none in this release. */
  readonly blocked: number;
  /** Jobs that live workers ran when they last told of themselves. */
  readonly running: number;
  /** Attempts that ended as `FAILED` or `PANIC` in the last 24 hours, to the hour. */
  readonly failedInDay: number;
  /** How many in a minute, over the last five. */
  readonly perMinute: Readonly<
    Record<'claimed' | 'done' | 'failed' | 'panicked' | 'retried' | 'cancelled', number>
  >;
  /** From the moment at which a job was ready to that of its claim, over the last five minutes; null where there was none. */
  readonly waitMs: Percentiles | null;
  /** How long handlers took, over the last five minutes; null where none ended. */
  readonly runMs: Percentiles | null;
  /** How many live workers serve the kind. */
  readonly workers: number;
  /** The pause of the kind, or else that of all kinds; null where it is not paused. */
  readonly paused: Pick<StoredPause, 'kind' | 'since' | 'until' | 'reason' | 'stopsRunning'> | null;
}

/** What stats are made of. */
export interface StatsSources {
  readonly counts: CountsLook;
  readonly backlog: readonly KindBacklog[];
  readonly workers: readonly LiveWorker[];
  readonly controls: Controls;
}

/** The kinds that something is known of: that were counted in the last day, are served, are paused or are due. In order. */
export function knownKinds(
  { counts, workers, controls }: Omit<StatsSources, 'backlog'>,
  due: readonly Pick<DueKind, 'kind'>[],
): string[] {
  const kinds = [
    ...counts.minutes.map(({ kind }) => kind),
    ...counts.failedInDay.keys(),
    ...workers.flatMap((worker) => worker.kinds),
    ...controls.pauses.map(({ kind }) => kind).filter((kind) => kind !== ALL_KINDS),
    ...due.map(({ kind }) => kind),
  ];
  return [...new Set(kinds)].toSorted(compareIds);
}

/** In the order of the kinds. */
export function statsOf(
  kinds: readonly string[],
  { counts, backlog, workers, controls }: StatsSources,
): KindStats[] {
  const from = beginOfMinute(counts.now) - (MINUTES_COUNTED - 1) * MINUTE_MS;
  const perMinute = (count: number) => (count * MINUTE_MS) / Math.max(MINUTE_MS, counts.now - from);
  const minutesOf = byKind(counts.minutes.filter(({ minute }) => minute >= from));
  const waitingOf = byKind(backlog);
  const servingOf = byKind(workers.flatMap((worker) => worker.kinds.map((kind) => ({ kind, worker }))));
  const scheduled = backlog.reduce((sum, one) => sum + one.scheduled, 0);
  return kinds.map((kind) => {
    const [waiting] = waitingOf.get(kind) ?? [];
    const serving = servingOf.get(kind) ?? [];
    return {
      kind,
      ready: capped(waiting?.ready ?? 0),
      oldestReadyMs: waiting?.oldestReadyMs ?? null,
      scheduled: { value: waiting?.scheduled ?? 0, capped: scheduled >= BACKLOG_COUNTED },
      blocked: 0,
      running: serving.reduce((sum, { worker }) => sum + (worker.runningKinds[kind] ?? 0), 0),
      failedInDay: counts.failedInDay.get(kind) ?? 0,
      ...added(minutesOf.get(kind) ?? [], perMinute),
      workers: serving.length,
      paused: shownPause(pauseOf(controls, kind)),
    };
  });
}

function byKind<T extends { readonly kind: string }>(all: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(one.kind);
    if (group === undefined) groups.set(one.kind, [one]);
    else group.push(one);
  }
  return groups;
}

function beginOfMinute(now: number): number {
  return Math.floor(now / MINUTE_MS) * MINUTE_MS;
}

function capped(value: number): CappedCount {
  return { value, capped: value >= BACKLOG_COUNTED };
}

const COUNTERS = ['claimed', 'done', 'failed', 'panicked', 'retried', 'cancelled'] as const;

type Numbers = Record<(typeof COUNTERS)[number], number>;

/** Adds up what is stored, and makes a rate of each number. */
function added(all: readonly StoredCounts[], rateOf: (count: number) => number) {
  const [wait, run] = [new Histogram(), new Histogram()];
  const perMinute: Numbers = { claimed: 0, done: 0, failed: 0, panicked: 0, retried: 0, cancelled: 0 };
  for (const row of all) {
    const counts = JSON.parse(row.counts) as KindCounts;
    for (const counter of COUNTERS) perMinute[counter] += counts[counter] ?? 0;
    wait.addAll(counts.wait ?? {});
    run.addAll(counts.run ?? {});
  }
  for (const counter of COUNTERS) perMinute[counter] = rateOf(perMinute[counter]);
  return { perMinute, waitMs: percentilesOf(wait), runMs: percentilesOf(run) };
}

function percentilesOf(times: Histogram): Percentiles | null {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => times.quantile(share));
  return p50 == null ? null : { p50, p95: p95!, p99: p99! };
}

function shownPause(pause: StoredPause | undefined): KindStats['paused'] {
  if (pause === undefined) return null;
  const { leftMs: _left, ...shown } = pause;
  return shown;
}

import type { HistoryLook, KindHistory } from '../../queue/kind-counts.js';
import type { Outcome, RatePoint } from '../api/screens.js';

const MINUTE_MS = 60_000;
const MINUTES = 60;
const HOUR_MS = 3_600_000;
const HOURS = 24;

export const OUTCOMES: readonly Outcome[] = ['done', 'failed', 'panicked', 'retried', 'cancelled'];

type Counts = Record<Outcome, number>;

/** A point for each minute of the last hour, the oldest first. */
export function perMinute({ now, counts }: HistoryLook): RatePoint[] {
  return points(
    counts.filter(({ span }) => span === 1),
    now,
    MINUTE_MS,
    MINUTES,
  );
}

/** A point for each hour of the last day. */
export function perHour({ now, counts }: HistoryLook): RatePoint[] {
  return points(
    counts.filter(({ span }) => span === 60),
    now,
    HOUR_MS,
    HOURS,
  );
}

/** By kind, how many jobs ended in each minute of the last hour. */
export function sparks({ now, counts }: HistoryLook): ReadonlyMap<string, readonly number[]> {
  const first = begin(now, MINUTE_MS) - (MINUTES - 1) * MINUTE_MS;
  const all = new Map<string, number[]>();
  for (const row of counts) {
    const place = Math.round((row.minute - first) / MINUTE_MS);
    if (row.span !== 1 || place < 0 || place >= MINUTES) continue;
    let spark = all.get(row.kind);
    if (spark === undefined) all.set(row.kind, (spark = new Array<number>(MINUTES).fill(0)));
    spark[place]! += row.done + row.failed + row.panicked + row.cancelled;
  }
  return all;
}

export const NO_SPARK: readonly number[] = new Array<number>(MINUTES).fill(0);

function points(rows: readonly KindHistory[], now: number, ms: number, count: number): RatePoint[] {
  const last = begin(now, ms);
  const sums = new Map<number, Counts>();
  for (let place = count - 1; place >= 0; place--) sums.set(last - place * ms, none());
  for (const row of rows) {
    const sum = sums.get(begin(row.minute, ms));
    if (sum !== undefined) for (const outcome of OUTCOMES) sum[outcome] += row[outcome];
  }
  return [...sums].map(([at, counts]) => ({ at, counts }));
}

function none(): Counts {
  return { done: 0, failed: 0, panicked: 0, retried: 0, cancelled: 0 };
}

/** The databases tell instants to within less than a millisecond. */
function begin(at: number, ms: number): number {
  return Math.floor((at + 0.5) / ms) * ms;
}

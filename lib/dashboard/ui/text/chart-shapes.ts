import type { Outcome, RatePoint } from '../../api/screens.js';

/** From the bottom of a bar to its top. */
export const OUTCOMES = [
  'done',
  'retried',
  'cancelled',
  'failed',
  'panicked',
] as const satisfies readonly Outcome[];

/** A part of a bar, in the units of the chart. */
export interface Part {
  readonly outcome: Outcome;
  readonly y: number;
  readonly height: number;
}

export function totalOf({ counts }: RatePoint): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

/** The smallest of 1, 2, 5, 10, 20, 50 … that is not less: the top of a scale. */
export function niceTop(most: number): number {
  if (most <= 1) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * magnitude).find((top) => top >= most)!;
}

/** The parts of a bar from the bottom up. What happened is at least one unit high: one panic among thousands is seen. */
export function partsOf(point: RatePoint, top: number, height: number): readonly Part[] {
  let y = height;
  return OUTCOMES.filter((outcome) => point.counts[outcome] > 0).map((outcome) => {
    const size = Math.max(1, (point.counts[outcome] / top) * height);
    y -= size;
    return { outcome, y: Math.max(0, y), height: size };
  });
}

/** The points of a sparkline, for `<polyline points>`; a flat line at the bottom where nothing happened. */
export function sparkPoints(values: readonly number[], width: number, height: number): string {
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  return values
    .map((value, index) => `${round(index * step)},${round(height - (value / most) * height)}`)
    .join(' ');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Milliseconds, or a whole number with a unit: `'500ms'`, `'90s'`, `'30m'`, `'12h'`, `'7d'`. */
export type Duration = number | string;

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const TEXT = /^(\d{1,16})\s?(ms|s|m|h|d)$/;

/** How messages describe a duration. */
export const A_DURATION = "a number of milliseconds or a text such as '7d', '12h', '30m', '90s' or '500ms'";

/** @returns milliseconds; undefined for what is no duration, which a fraction of a unit is not either */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const [, count, unit] = TEXT.exec(value.trim()) ?? [];
  return unit === undefined ? undefined : Number(count) * UNITS.get(unit)!;
}

/** The shortest text for it: `7d`, `36h`, `1500ms`. */
export function durationText(ms: number): string {
  const [unit, length] = [...UNITS].findLast(([, length]) => ms % length === 0 && ms >= length) ?? ['ms', 1];
  return `${ms / length}${unit}`;
}

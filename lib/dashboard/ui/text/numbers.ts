import type { Capped } from '../../api/screens.js';

const GROUPED = new Intl.NumberFormat('en');
const COMPACT = new Intl.NumberFormat('en', {
  notation: 'compact',
  maximumFractionDigits: 1,
  maximumSignificantDigits: 3,
  roundingPriority: 'lessPrecision',
});

/** `12,345`. */
export function count(value: number): string {
  return GROUPED.format(value);
}

/** `12,345`, or `10,000+` where it was not counted further. */
export function capped({ value, capped: isCapped }: Capped): string {
  return isCapped ? `${count(value)}+` : count(value);
}

/** `12.3K`, `140K`: at most five characters, for places with little room. */
export function compact(value: number): string {
  return COMPACT.format(value);
}

/** `1 job`, `2 jobs`. */
export function plural(value: number, singular: string, several = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : several}`;
}

/** `0`, `<0.1`, `0.4`, `12`, `1,204`: how often something happens in a minute. */
export function rate(perMinute: number): string {
  if (perMinute === 0) return '0';
  if (perMinute < 0.1) return '<0.1';
  return perMinute < 10 ? String(Math.round(perMinute * 10) / 10) : count(Math.round(perMinute));
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `512 B`, `1.5 kB`, `64 MB`, by powers of 1,024. */
export function bytes(value: number): string {
  let left = value;
  let unit = 0;
  while (left >= 1_024 && unit < BYTE_UNITS.length - 1) {
    left /= 1_024;
    unit++;
  }
  return `${left < 10 && unit > 0 ? left.toFixed(1) : Math.round(left)} ${BYTE_UNITS[unit]!}`;
}

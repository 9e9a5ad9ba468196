/** The clock of the mock's database stands still, so that each run shows the same. */
export const NOW = Date.UTC(2026, 10, 27, 8, 30, 5);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** An id as the package makes them, of the job of this number. */
export function idOf(number: number): string {
  const digits = (number * 2_654_435_761).toString(16).padStart(12, '0').slice(-12);
  return `019ac5b2-${(0x4000 + number).toString(16)}-7${(0x100 + (number % 999)).toString(16)}-9a3f-${digits}`;
}

/** A number from 0 to 1 that looks random and is always the same. */
export function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43_758.5453;
  return x - Math.floor(x);
}

import { createHash } from 'node:crypto';

const BYTES = 6;

/**
 * How much later than its tick a job is run: from 0 to less than `jitterMs`, in whole milliseconds. A hash of name and
 * tick decides. So it is the same in each process and at each try, schedules with one rule are spread, and no schedule
 * always comes first.
 */
export function jitterOf(name: string, tick: Date, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  const hash = createHash('sha256').update(`${name}@${tick.getTime()}`).digest();
  return Math.floor((hash.readUIntBE(0, BYTES) / 2 ** (8 * BYTES)) * jitterMs);
}

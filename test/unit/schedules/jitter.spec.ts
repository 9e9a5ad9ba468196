import { describe, expect, it } from '@jest/globals';
import { jitterOf } from '../../../lib/schedules/jitter.js';

const MINUTE = 60_000;
const ticks = Array.from({ length: 10_000 }, (_, index) => new Date(index * MINUTE));

describe('The jitter of a tick', () => {
  it('is the same in each process, and stays so in later releases', () => {
    expect(jitterOf('report', new Date('2026-01-01T00:00:00Z'), MINUTE)).toBe(32_470);
  });

  it('is 0 without a jitter', () => {
    expect(ticks.every((tick) => jitterOf('report', tick, 0) === 0)).toBe(true);
  });

  it.each([1, 2, 999, MINUTE, 2 ** 31 - 1])('is whole milliseconds from 0 to less than %i', (jitterMs) => {
    const offsets = ticks.map((tick) => jitterOf('report', tick, jitterMs));
    expect(offsets.every((offset) => Number.isInteger(offset) && offset >= 0 && offset < jitterMs)).toBe(
      true,
    );
  });

  it('is spread evenly over the ticks of a schedule', () => {
    const tenths = Array<number>(10).fill(0);
    for (const tick of ticks) tenths[Math.floor(jitterOf('report', tick, MINUTE) / (MINUTE / 10))]!++;
    expect(Math.min(...tenths)).toBeGreaterThan(850); // five standard deviations below 1,000
    expect(Math.max(...tenths)).toBeLessThan(1150);
  });

  it('is spread evenly over the schedules that share a tick', () => {
    const halves = ticks.filter((_, index) => jitterOf(`tenant-${index}`, new Date(0), MINUTE) < MINUTE / 2);
    expect(Math.abs(halves.length - 5_000)).toBeLessThan(250);
  });
});

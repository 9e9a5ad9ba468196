import { describe, expect, it } from '@jest/globals';
import { countForBatch } from '../../../lib/job/batch-size.js';
import { sizeOf } from '../../../lib/job/document.js';

const MIB = 1024 * 1024;
const count = (weights: readonly (readonly [rows: number, bytes: number])[]): number =>
  countForBatch(weights, ([rows, bytes]) => ({ rows, bytes }));

describe('countForBatch', () => {
  it('takes all where they fit', () => {
    expect(count([])).toBe(0);
    expect(count(Array.from({ length: 1000 }, () => [1, 100] as const))).toBe(1000);
  });

  it('ends at a thousand rows and at four megabytes', () => {
    expect(count(Array.from({ length: 1001 }, () => [1, 0] as const))).toBe(1000);
    expect(count(Array.from({ length: 9 }, () => [1, MIB] as const))).toBe(4);
  });

  it('always takes the first, however large it is', () => {
    expect(
      count([
        [5000, 100 * MIB],
        [1, 1],
      ]),
    ).toBe(1);
  });

  it('weighs a document by its characters or bytes', () => {
    expect(sizeOf({ json: '"abc"', bytes: null })).toBe(5);
    expect(sizeOf({ json: null, bytes: new Uint8Array(7) })).toBe(7);
    expect(sizeOf({ json: null, bytes: null })).toBe(0);
  });
});

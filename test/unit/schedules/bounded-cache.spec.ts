import { describe, expect, it } from '@jest/globals';
import { BoundedCache } from '../../../lib/schedules/bounded-cache.js';

describe('A bounded cache', () => {
  it('makes each value once, and makes what has gone again; what was used longest ago goes first', () => {
    const made: string[] = [];
    const cache = new BoundedCache<string, string>(2, (key) => (made.push(key), key.toUpperCase()));
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map((key) => cache.get(key))).toEqual([
      'A',
      'B',
      'A',
      'C',
      'A',
      'B',
    ]);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
  });

  it('keeps nothing where making it fails', () => {
    let tries = 0;
    const cache = new BoundedCache<string, string>(2, () => {
      tries++;
      throw new Error('no');
    });
    for (const key of ['a', 'a']) expect(() => cache.get(key)).toThrow('no');
    expect(tries).toBe(2);
  });
});

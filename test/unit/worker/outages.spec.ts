import { describe, expect, it } from '@jest/globals';
import { ToldOutages } from '../../../lib/worker/told-outages.js';
import { UnheldClaims } from '../../../lib/worker/unheld-claims.js';

describe('Outages that are told', () => {
  it('are the first failure of each, with its end', () => {
    const outages = new ToldOutages();
    expect([outages.failed(1, 0), outages.failed(2, 10), outages.recovered()]).toEqual([true, false, true]);
    expect([outages.failed(1, 40_000), outages.recovered()]).toEqual([true, true]);
  });

  it('are not each of many short ones', () => {
    const outages = new ToldOutages();
    const told = Array.from({ length: 100 }, (_, n) => {
      const isNews = outages.failed(1, n * 1_000);
      return [isNews, outages.recovered()];
    });
    expect(told.filter(([isNews]) => isNews)).toHaveLength(4); // in a hundred seconds
    for (const [isNews, isEndNews] of told) expect(isEndNews).toBe(isNews);
  });
});

describe('Claims that were never heard of', () => {
  it('are looked for at once after a failure, and again for the time of a lease', () => {
    const unheld = new UnheldClaims(1_000);
    expect(unheld.isDue(0)).toBe(false);
    unheld.failed(0);
    const looks = [];
    for (let now = 0; now <= 2_000; now += 50) {
      if (!unheld.isDue(now)) continue;
      looks.push(now);
      unheld.looked(now);
    }
    expect(looks).toEqual([0, 250, 500, 750]);
  });
});

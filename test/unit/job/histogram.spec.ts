import { describe, expect, it } from '@jest/globals';
import { Histogram } from '../../../lib/job/histogram.js';

describe('Histogram', () => {
  it('tells quantiles to within nine percent, from a millisecond to a week', () => {
    for (const ms of [1, 1.5, 7, 20, 333, 1_000, 61_000, 3_600_000, 604_800_000]) {
      const histogram = new Histogram();
      histogram.add(ms);
      expect(Math.abs(histogram.quantile(0.5)! / ms - 1)).toBeLessThan(0.1);
    }
  });

  it('tells the time that a share of all do not exceed', () => {
    const histogram = new Histogram();
    for (let n = 0; n < 90; n++) histogram.add(10);
    for (let n = 0; n < 9; n++) histogram.add(100);
    histogram.add(10_000);
    const near = (share: number) => Math.round(Math.log10(histogram.quantile(share)!));
    expect([0.5, 0.9, 0.95, 0.99, 1].map(near)).toEqual([1, 1, 2, 2, 4]);
  });

  it('tells nothing where there is nothing, and takes what no clock should tell', () => {
    const histogram = new Histogram();
    expect(histogram.quantile(0.5)).toBeNull();
    for (const ms of [0, -5, NaN, Infinity]) histogram.add(ms);
    expect(histogram.quantile(0.5)).toBe(0.5);
    expect(histogram.quantile(1)).toBeGreaterThan(604_800_000);
  });

  it('adds up what others have counted', () => {
    const [one, other] = [new Histogram(), new Histogram()];
    for (const histogram of [one, other]) histogram.add(5);
    other.add(50);
    one.addAll(JSON.parse(JSON.stringify(other)) as never);
    expect(Object.values(one.toJSON())).toEqual([2, 1]);
  });
});

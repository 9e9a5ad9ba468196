import { describe, expect, it } from '@jest/globals';
import { bytes, capped, compact, plural, rate } from '../../../../lib/dashboard/ui/text/numbers.js';

describe('Numbers of the dashboard', () => {
  it('that were not counted further have a plus', () => {
    expect(capped({ value: 10_000, capped: true })).toBe('10,000+');
    expect(capped({ value: 9_999, capped: false })).toBe('9,999');
  });

  it('agree with what they count', () => {
    expect([0, 1, 2].map((value) => plural(value, 'job'))).toEqual(['0 jobs', '1 job', '2 jobs']);
    expect(plural(2, 'match', 'matches')).toBe('2 matches');
  });

  it('of a rate have as many digits as they need', () => {
    expect([0, 0.04, 0.44, 9.96, 12.4, 1_204.3].map(rate)).toEqual(['0', '<0.1', '0.4', '10', '12', '1,204']);
  });

  it('of bytes have a unit', () => {
    expect([0, 1_023, 1_024, 1_536, 20_480, 64 * 2 ** 20, 2 ** 50].map(bytes)).toEqual([
      ...['0 B', '1023 B', '1.0 kB', '1.5 kB', '20 kB', '64 MB', '1024 TB'],
    ]);
  });

  it('are short where there is little room', () => {
    expect([999, 1_250, 70_140, 140_240, 2_000_000].map(compact)).toEqual([
      '999',
      '1.3K',
      '70.1K',
      '140K',
      '2M',
    ]);
  });
});

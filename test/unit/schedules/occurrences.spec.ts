import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { InvalidScheduleError } from '../../../lib/job/errors.js';
import { occurrencesOf } from '../../../lib/schedules/occurrences.js';
import type { ScheduleRule } from '../../../lib/schedules/schedule-rule.js';
import { textOf, ticksAfter, ticksBefore } from './ticks.js';

interface Case {
  readonly expression: string;
  readonly timeZone: string;
  readonly after: string;
  readonly why: string;
  readonly expected: readonly string[];
}

function casesIn(file: string): Case[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'cases', file), 'utf8')) as Case[];
}

describe.each(['occurrences.json', 'more-occurrences.json'])('The ticks of %s', (file) => {
  it.each(casesIn(file))('$expression in $timeZone: $why', ({ expression, timeZone, after, expected }) => {
    expect(ticksAfter({ cron: expression, timeZone }, after, expected.length)).toEqual(expected);
  });

  it.each(casesIn(file))(
    '$expression in $timeZone, backwards: $why',
    ({ expression, timeZone, expected }) => {
      const behind = textOf(new Date(Date.parse(expected.at(-1)!) + 1));
      expect(ticksBefore({ cron: expression, timeZone }, behind, expected.length)).toEqual(expected);
    },
  );
});

describe('In the second pass of a repeated hour', () => {
  // 06:10Z is 01:10 in New York for the second time
  it('the next clock time is after the hour, though the clock is yet to show it', () => {
    expect(
      ticksAfter({ cron: '45 1 * * *', timeZone: 'America/New_York' }, '2026-11-01T06:10:00Z', 1),
    ).toEqual(['2026-11-02T06:45:00Z']);
  });

  it('the last clock time is that of the first pass, though it is later on the clock', () => {
    expect(
      ticksBefore({ cron: '45 1 * * *', timeZone: 'America/New_York' }, '2026-11-01T06:10:00Z', 1),
    ).toEqual(['2026-11-01T05:45:00Z']);
  });
});

const HOURLY: ScheduleRule = { cron: '0 * * * *', timeZone: 'UTC' };
const EVERY_90_S: ScheduleRule = { everyMs: 90_000, anchor: at('2026-01-01T00:00:30Z') };

describe('everyMs', () => {
  it('ticks at the anchor and at multiples of the period from there, on both sides', () => {
    expect(ticksAfter(EVERY_90_S, '2025-12-31T23:58:00Z', 3)).toEqual([
      '2025-12-31T23:59:00Z',
      '2026-01-01T00:00:30Z',
      '2026-01-01T00:02:00Z',
    ]);
    expect(ticksBefore(EVERY_90_S, '2026-01-01T00:02:00Z', 2)).toEqual([
      '2025-12-31T23:59:00Z',
      '2026-01-01T00:00:30Z',
    ]);
  });

  it('has a tick before and after an instant between two', () => {
    expect(ticksAfter(EVERY_90_S, '2026-01-01T00:01:00.001Z', 1)).toEqual(['2026-01-01T00:02:00Z']);
    expect(ticksBefore(EVERY_90_S, '2026-01-01T00:01:00.001Z', 1)).toEqual(['2026-01-01T00:00:30Z']);
  });

  it('does not drift: after a million periods it is where multiplication says', () => {
    const rule: ScheduleRule = { everyMs: 1_001, anchor: new Date(7) };
    const far = 7 + 1_000_000 * 1_001;
    expect(occurrencesOf(rule).next(new Date(far - 1))).toEqual(new Date(far));
    expect(occurrencesOf(rule).next(new Date(far))).toEqual(new Date(far + 1_001));
  });

  it.each([0, -1000, 0.5, NaN, Infinity])('of %s is refused, wherever the rule comes from', (everyMs) => {
    expect(refusal({ everyMs, anchor: new Date(0) }).path).toBe('everyMs');
  });
});

describe('startAt and endAt', () => {
  const bounded = { ...HOURLY, startAt: at('2026-01-01T02:00:00Z'), endAt: at('2026-01-01T04:00:00Z') };

  it('let the ticks through that fall on them', () => {
    expect(ticksAfter(bounded, '2020-01-01T00:00:00Z', 9)).toEqual([
      '2026-01-01T02:00:00Z',
      '2026-01-01T03:00:00Z',
      '2026-01-01T04:00:00Z',
    ]);
    expect(ticksBefore(bounded, '2030-01-01T00:00:00Z', 9)).toHaveLength(3);
  });

  it('leave no tick outside of them', () => {
    const occurrences = occurrencesOf(bounded);
    expect(occurrences.next(bounded.endAt)).toBeNull();
    expect(occurrences.previous(bounded.startAt)).toBeNull();
    expect(
      occurrences.ticksBetween(at('2020-01-01T00:00:00Z'), at('2030-01-01T00:00:00Z'), 100),
    ).toHaveLength(3);
  });
});

describe('ticksBetween', () => {
  it('leaves out a tick at its start and has the one at its end', () => {
    const ticks = occurrencesOf(HOURLY).ticksBetween(
      at('2026-01-01T01:00:00Z'),
      at('2026-01-01T03:00:00Z'),
      10,
    );
    expect(ticks.map(textOf)).toEqual(['2026-01-01T02:00:00Z', '2026-01-01T03:00:00Z']);
  });

  it('gives the newest where there are more than the limit', () => {
    const ticks = occurrencesOf(HOURLY).ticksBetween(
      at('2026-01-01T00:00:00Z'),
      at('2026-01-02T00:30:00Z'),
      2,
    );
    expect(ticks.map(textOf)).toEqual(['2026-01-01T23:00:00Z', '2026-01-02T00:00:00Z']);
  });

  it('has none where nothing passed', () => {
    const now = at('2026-01-01T00:30:00Z');
    expect(occurrencesOf(HOURLY).ticksBetween(now, now, 10)).toEqual([]);
    expect(occurrencesOf(HOURLY).ticksBetween(now, at('2026-01-01T00:10:00Z'), 10)).toEqual([]);
  });

  it.each([
    ['every second', { cron: '* * * * * *', timeZone: 'Europe/Berlin' }],
    ['everyMs', { everyMs: 1000, anchor: new Date(0) }],
  ])('costs what it returns: 1,000 of 50 years of %s', (_, rule) => {
    const millis = cpuMillisOf(() => {
      expect(occurrencesOf(rule).ticksBetween(new Date(0), at('2026-01-01T00:00:00Z'), 1000)).toHaveLength(
        1000,
      );
    });
    expect(millis).toBeLessThan(5_000); // a walk would look at 1.7 thousand million
  });

  it('counts up to a bound', () => {
    const [from, to] = [at('2026-01-01T00:00:00Z'), at('2026-01-02T00:00:00Z')];
    expect(occurrencesOf(HOURLY).countBetween(from, to, 100)).toBe(24);
    expect(occurrencesOf(HOURLY).countBetween(from, to, 10)).toBe(10);
  });
});

describe('A rule that cannot be worked out', () => {
  it.each([
    ['0 25 * * *', 'hour is "25"'],
    ['0/15 * * * *', 'minute is "0/15"'],
    ['60 0 0 * * *', 'second is "60"'],
    ['0 0 32 * *', 'day of month is "32"'],
    ['0 0 * 13 *', 'month is "13"'],
    ['0 0 * * 8', 'day of week is "8"'],
    ['* * *', 'five or six fields'],
    ['0 0 0 1 1 * 2026', 'five or six fields'],
    ['2026-01-01T00:00:00', 'five or six fields'],
    ['', 'five or six fields'],
    ['@reboot', 'The nicknames are @hourly'],
    ['0 0 0 0 0', 'day of month is "0"'],
  ])('is refused: %j, whose fault is named', (cron, problem) => {
    const error = refusal({ cron, timeZone: 'UTC' });
    expect(error.path).toBe('cron');
    expect(error.message).toContain(problem);
  });

  it.each([5, null, undefined, {}, ['0 0 * * *'], new String('0 0 * * *')])('is refused: %p', (cron) => {
    expect(refusal({ cron: cron as string, timeZone: 'UTC' }).path).toBe('cron');
  });

  it('is refused where it is endless', () => {
    expect(refusal({ cron: `${'0,'.repeat(1_000_000)}0 * * * *`, timeZone: 'UTC' }).problem).toMatch(
      /at most 500/,
    );
  });

  it.each(['Europe/Berln', 'local', '', '+02:00', 'GMT+2', 'Europe/Berlin ', '../../etc/passwd', 7, null])(
    'is refused: the zone %j',
    (timeZone) => {
      expect(refusal({ cron: '0 0 * * *', timeZone: timeZone as string }).path).toBe('timeZone');
    },
  );

  it('is told which zone was probably meant', () => {
    expect(refusal({ cron: '0 0 * * *', timeZone: 'Europe/Berln' }).message).toContain('"Europe/Berlin"?');
  });

  it.each([
    '0 0 30 2 *',
    '0 0 31 2,4,6,9,11 *',
    '0 0 30,31 2 *',
    '59 59 23 31 2 +1',
    '0 0 1 1 +1#2',
    '0 0 LW 2 +6',
    '0 0 1W * +0',
    `0 0 ${Array.from({ length: 31 }, (_, day) => `${day + 1}W`).join(',')} * +0`,
  ])('is refused at once: %s has no day', (cron) => {
    const millis = [1, 2, 3].map(() =>
      cpuMillisOf(() => {
        expect(refusal({ cron, timeZone: 'UTC' }).problem).toContain('no such day in any year');
      }),
    );
    expect(Math.min(...millis)).toBeLessThan(50); // the first has the compiler's work as well
  });

  it('is asked about an instant that is none', () => {
    expect(() => occurrencesOf(HOURLY).next(new Date(NaN))).toThrow(InvalidScheduleError);
  });
});

describe('Ten thousand rules', () => {
  const zones = Intl.supportedValuesOf('timeZone');
  const rules = Array.from({ length: 10_000 }, (_, count) => ({
    cron: `${count % 60} ${Math.floor(count / 60) % 24} ${1 + Math.floor(count / 1440)} * *`,
    timeZone: zones[count % zones.length]!,
  }));

  it('are compiled, and tell their next tick, in less than a millisecond each', () => {
    let ticks = 0;
    const millis = cpuMillisOf(() => {
      for (const rule of rules) if (occurrencesOf(rule).next(at('2026-11-26T00:00:00Z')) !== null) ticks++;
    });
    expect(ticks).toBe(10_000);
    expect(millis).toBeLessThan(10_000);
  });

  it('are answered without a new look at the expression and the zone', () => {
    const rule: ScheduleRule = { cron: '0 3 * * *', timeZone: 'Europe/Berlin' };
    let tick = at('2026-01-01T00:00:00Z');
    const millis = cpuMillisOf(() => {
      for (let count = 0; count < 10_000; count++) tick = occurrencesOf(rule).next(tick)!;
    });
    expect(textOf(tick)).toBe('2053-05-18T01:00:00Z');
    expect(millis).toBeLessThan(5_000);
  });
});

/** The time of the processor, which does not grow while others have it. */
function cpuMillisOf(work: () => void): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

function at(text: string): Date {
  return new Date(text);
}

function refusal(rule: ScheduleRule): InvalidScheduleError {
  try {
    occurrencesOf(rule);
  } catch (error) {
    if (error instanceof InvalidScheduleError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

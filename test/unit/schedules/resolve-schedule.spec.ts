import { describe, expect, it } from '@jest/globals';
import { InvalidScheduleError } from '../../../lib/job/errors.js';
import { resolveSchedule } from '../../../lib/schedules/resolve-schedule.js';
import type { ScheduleSpec } from '../../../lib/schedules/schedule-options.js';

const NIGHTLY = { cron: '0 3 * * *' };

describe('A schedule', () => {
  it('has defaults for all that is left out', () => {
    expect(resolveSchedule({ ...NIGHTLY, kind: 'report' })).toEqual({
      name: 'report',
      kind: 'report',
      rule: { cron: '0 3 * * *', timeZone: 'UTC' },
      missed: 'last',
      missedWithinMs: 3_600_000,
      overlap: 'skip',
      jitterMs: 0,
      enabled: true,
      payload: undefined,
      priority: 0,
      maxAttempts: undefined,
      tags: [],
    });
  });

  it('keeps what is given', () => {
    const [startAt, endAt] = [new Date('2026-01-01T00:00:00Z'), new Date('2027-01-01T00:00:00Z')];
    const spec: ScheduleSpec = {
      ...{ cron: ' 0  3 * * *\t', timeZone: 'Europe/Berlin', startAt, endAt },
      ...{
        name: ' nightly ',
        kind: 'report',
        missed: 'all',
        missedWithinMs: 5,
        overlap: 'queue',
        jitterMs: 9,
      },
      ...{ enabled: false, payload: { a: 1 }, priority: -1, maxAttempts: 3, tags: ['a', 'b'] },
    };
    expect(resolveSchedule(spec)).toEqual({
      ...spec,
      ...{ name: 'nightly', rule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin', startAt, endAt } },
      ...{ cron: undefined, timeZone: undefined, startAt: undefined, endAt: undefined },
    });
  });

  it('that is declared has the kind of its handler, and that as its name', () => {
    expect(resolveSchedule(NIGHTLY, 'report')).toMatchObject({ name: 'report', kind: 'report' });
    expect(resolveSchedule({ ...NIGHTLY, name: 'nightly' }, 'report')).toMatchObject({
      name: 'nightly',
      kind: 'report',
    });
    expect(resolveSchedule({ ...NIGHTLY, kind: 'other' }, 'report')).toMatchObject({
      name: 'other',
      kind: 'other',
    });
  });

  it('of everyMs counts from startAt, or else from 1970', () => {
    const startAt = new Date('2026-01-01T00:00:30Z');
    expect(resolveSchedule({ everyMs: 60_000 }, 'sync').rule).toEqual({
      everyMs: 60_000,
      anchor: new Date(0),
    });
    expect(resolveSchedule({ everyMs: 60_000, startAt }, 'sync').rule).toEqual({
      ...{ everyMs: 60_000, anchor: startAt, startAt },
    });
  });

  it('is frozen, and is not changed by who keeps the options', () => {
    const options = { everyMs: 1000, startAt: new Date(0), tags: ['a'] };
    const schedule = resolveSchedule(options, 'sync');
    options.startAt.setTime(5);
    options.tags.push('b');
    expect(schedule.rule).toMatchObject({ anchor: new Date(0), startAt: new Date(0) });
    expect(schedule.tags).toEqual(['a']);
    for (const part of [schedule, schedule.rule, schedule.tags]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('can make its payload where it is declared, but not where it is stored', () => {
    const payload = (tick: Date) => ({ day: tick.toISOString() });
    expect(resolveSchedule({ ...NIGHTLY, payload }, 'report').payload).toBe(payload);
    expect(refusal({ ...NIGHTLY, kind: 'report', payload }).path).toBe('payload');
  });
});

describe('A schedule is refused', () => {
  it.each<[unknown, string]>([
    [null, 'options'],
    ['0 3 * * *', 'options'],
    [{}, 'cron'],
    [{ cron: 3 }, 'cron'],
    [{ cron: '0 25 * * *' }, 'cron'],
    [{ cron: '0 0 30 2 *' }, 'cron'],
    [{ ...NIGHTLY, timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ ...NIGHTLY, timeZone: null }, 'timeZone'],
    [{ ...NIGHTLY, everyMs: 1000 }, 'everyMs'],
    [{ everyMs: 999 }, 'everyMs'],
    [{ everyMs: 1000.5 }, 'everyMs'],
    [{ everyMs: '1000' }, 'everyMs'],
    [{ everyMs: 1e18 }, 'everyMs'],
    [{ everyMs: 1000, timeZone: 'UTC' }, 'timeZone'],
    [{ ...NIGHTLY, name: '' }, 'name'],
    [{ ...NIGHTLY, name: 'x'.repeat(231) }, 'name'],
    [{ ...NIGHTLY, name: 'a\0' }, 'name'],
    [{ ...NIGHTLY, kind: 'x'.repeat(256) }, 'kind'],
    [{ ...NIGHTLY, kind: 5 }, 'kind'],
    [{ ...NIGHTLY, missed: 'some' }, 'missed'],
    [{ ...NIGHTLY, missedWithinMs: -1 }, 'missedWithinMs'],
    [{ ...NIGHTLY, overlap: true }, 'overlap'],
    [{ ...NIGHTLY, jitterMs: 0.5 }, 'jitterMs'],
    [{ ...NIGHTLY, jitterMs: 2 ** 31 }, 'jitterMs'],
    [{ ...NIGHTLY, startAt: '2026-01-01' }, 'startAt'],
    [{ ...NIGHTLY, startAt: new Date(NaN) }, 'startAt'],
    [{ ...NIGHTLY, endAt: 5 }, 'endAt'],
    [{ ...NIGHTLY, startAt: new Date(9), endAt: new Date(8) }, 'endAt'],
    [{ ...NIGHTLY, startAt: new Date(9), endAt: new Date(10) }, 'endAt'],
    [{ ...NIGHTLY, enabled: 1 }, 'enabled'],
    [{ ...NIGHTLY, priority: 0.5 }, 'priority'],
    [{ ...NIGHTLY, maxAttempts: 0 }, 'maxAttempts'],
    [{ ...NIGHTLY, tags: 'a' }, 'tags'],
    [{ ...NIGHTLY, tags: Array(11).fill('a') }, 'tags'],
    [{ ...NIGHTLY, tags: ['x'.repeat(101)] }, 'tags'],
    [{ ...NIGHTLY, tags: [''] }, 'tags'],
  ])('%j: %s', (spec, path) => {
    const error = refusal(spec, 'report');
    expect(error.path).toBe(path);
    expect(error.message).toBe(`${path} ${error.problem}`);
    expect(error.problem).toMatch(/^[a-z].*\.$/s);
  });

  it('without a kind', () => {
    expect(refusal(NIGHTLY).path).toBe('kind');
  });

  it.each([
    ['timezone', 'timeZone'],
    ['tz', 'timeZone'],
    ['pattern', 'cron'],
    ['cronTime', 'cron'],
    ['every', 'everyMs'],
    ['endDate', 'endAt'],
    ['jitter', 'jitterMs'],
    ['overlaps', 'overlap'],
    ['attempts', 'maxAttempts'],
    ['data', 'payload'],
  ])('with %s, and told that %s is meant', (given, meant) => {
    const error = refusal({ ...NIGHTLY, [given]: 1 }, 'report');
    expect(error.path).toBe(given);
    expect(error.message).toMatch(new RegExp(`Did you mean "?${meant}"?\\?`));
  });
});

function refusal(spec: unknown, declaredKind?: string): InvalidScheduleError {
  try {
    resolveSchedule(spec as ScheduleSpec, declaredKind);
  } catch (error) {
    if (error instanceof InvalidScheduleError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

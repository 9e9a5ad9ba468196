import { describe, expect, it } from '@jest/globals';
import { InvalidScheduleError } from '../../../lib/job/errors.js';
import { jitterOf } from '../../../lib/schedules/jitter.js';
import { previewSchedule, type PreviewOptions } from '../../../lib/schedules/preview-schedule.js';
import type { ScheduleSpec } from '../../../lib/schedules/schedule-options.js';
import { textOf } from './ticks.js';

const from = new Date('2026-03-28T00:00:00Z');

describe('previewSchedule', () => {
  it('lists the next ticks of a rule', () => {
    const spec = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    expect(previewSchedule(spec, { from, count: 3 }).map(textOf)).toEqual([
      '2026-03-28T01:30:00Z',
      '2026-03-29T01:00:00Z',
      '2026-03-30T00:30:00Z',
    ]);
  });

  it('lists a tick at its start, and ten of them by itself', () => {
    const instants = previewSchedule({ everyMs: 60_000 }, { from });
    expect(instants).toHaveLength(10);
    expect(instants[0]).toEqual(from);
  });

  it('begins now', () => {
    const began = Date.now();
    const [first] = previewSchedule({ everyMs: 1000 }, { count: 1 });
    expect(first!.getTime()).toBeGreaterThanOrEqual(began);
    expect(first!.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
  });

  it('ends where the schedule ends', () => {
    const endAt = new Date('2026-03-28T00:02:00Z');
    expect(previewSchedule({ everyMs: 60_000, endAt }, { from })).toHaveLength(3);
    expect(previewSchedule({ everyMs: 60_000, endAt }, { from: new Date('2026-03-29T00:00:00Z') })).toEqual(
      [],
    );
  });

  it.each([{ name: 'sync' }, { kind: 'sync' }])('has the jitter of %j', (names) => {
    const instants = previewSchedule({ everyMs: 60_000, jitterMs: 30_000, ...names }, { from, count: 50 });
    const ticks = previewSchedule({ everyMs: 60_000 }, { from, count: 50 });
    expect(instants).toEqual(ticks.map((tick) => new Date(tick.getTime() + jitterOf('sync', tick, 30_000))));
    expect(instants).not.toEqual(ticks);
  });

  it('has none without a name to take it from', () => {
    const [first] = previewSchedule({ everyMs: 60_000, jitterMs: 30_000 }, { from, count: 1 });
    expect(first).toEqual(from);
  });

  it('takes a schedule as it is declared', () => {
    const spec: ScheduleSpec = { everyMs: 1000, enabled: false, payload: (tick) => ({ at: tick.getTime() }) };
    expect(previewSchedule(spec, { from, count: 2 })).toHaveLength(2);
  });

  it.each<[unknown, unknown, string]>([
    [{ cron: 'never' }, {}, 'cron'],
    [{ everyMs: 5 }, {}, 'everyMs'],
    [{ everyMs: 1000 }, { count: 0 }, 'count'],
    [{ everyMs: 1000 }, { count: 1001 }, 'count'],
    [{ everyMs: 1000 }, { count: '5' }, 'count'],
    [{ everyMs: 1000 }, { count: Infinity }, 'count'],
    [{ everyMs: 1000 }, { from: 'today' }, 'from'],
    [{ everyMs: 1000 }, { from: new Date(NaN) }, 'from'],
    [{ everyMs: 1000 }, { from: new Date(-1e15) }, 'from'],
  ])('refuses %j with %j: %s', (spec, options, path) => {
    let error: unknown;
    try {
      previewSchedule(spec as ScheduleSpec, options as PreviewOptions);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(InvalidScheduleError);
    expect(error).toMatchObject({ name: 'InvalidScheduleError', path });
  });
});

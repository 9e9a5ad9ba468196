import { describe, expect, it } from '@jest/globals';
import { missingTicks, type Span } from '../../../lib/dashboard/screens/missing-ticks.js';
import type { JobsSources } from '../../../lib/dashboard/jobs-sources.js';
import { DashboardRefusal } from '../../../lib/dashboard/web/refusal.js';
import type { Schedule } from '../../../lib/schedules/schedule.js';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 5, 1, 12);

/** A schedule of each hour at half past, unless it is another one. */
const count = (schedule: Partial<Schedule>, span: Partial<Span> = {}, withJob: readonly string[] = []) => {
  const existing = (ids: readonly string[]) => Promise.resolve(ids.filter((id) => withJob.includes(id)));
  const sources = { queue: { schedules: { existing } }, reads: { run: (read: () => unknown) => read() } };
  const whole = { name: 'hourly', everyMs: HOUR, nextAt: new Date(NOON + 30.5 * HOUR), ...schedule };
  return missingTicks(sources as unknown as JobsSources, whole as unknown as Schedule, {
    ...{ from: new Date(NOON), to: new Date(NOON + 3 * HOUR), limit: undefined },
    ...span,
  });
};

describe('The preview of a backfill', () => {
  it('counts the ticks of an interval from one that is known, before it and after it', async () => {
    const three = { created: 3, existing: 0, capped: false };
    expect(await count({})).toEqual(three);
    expect(await count({ nextAt: new Date(NOON - 30.5 * HOUR) })).toEqual(three);
    expect(await count({ nextAt: null, lastTick: new Date(NOON + 0.5 * HOUR) })).toEqual(three);
  });

  it('counts those at the bounds of the span, and none outside those of the schedule', async () => {
    const half = new Date(NOON + 0.5 * HOUR);
    expect(await count({}, { from: half, to: half })).toMatchObject({ created: 1 });
    expect(await count({ startAt: new Date(NOON + HOUR) })).toMatchObject({ created: 2 });
    expect(await count({ endAt: new Date(NOON + HOUR) })).toMatchObject({ created: 1 });
    expect(await count({}, { to: new Date(NOON - 1) })).toEqual({ created: 0, existing: 0, capped: false });
  });

  it('counts those of a cron expression in its zone', async () => {
    const daily = { everyMs: undefined, cron: '30 3 * * *', timeZone: 'Europe/Berlin' };
    const at = new Date(Date.UTC(2026, 5, 2, 1, 30));
    expect(await count(daily, { from: at, to: at })).toMatchObject({ created: 1 });
  });

  it('tells which have a job, and where there are more than it looks at', async () => {
    const withJob = [`hourly@${new Date(NOON + 0.5 * HOUR).toISOString()}`];
    expect(await count({}, {}, withJob)).toEqual({ created: 2, existing: 1, capped: false });
    expect(await count({}, { limit: 2 }, withJob)).toEqual({ created: 1, existing: 1, capped: false });
    const year = { to: new Date(NOON + 365 * 24 * HOUR) };
    expect(await count({}, year)).toEqual({ created: 1_000, existing: 0, capped: true });
    expect(await count({}, { ...year, limit: 1_000 })).toMatchObject({ created: 1_000, capped: false });
    expect(await count({}, { ...year, limit: 1_001 })).toMatchObject({ created: 1_000, capped: true });
  });

  it('is refused where no tick of an interval is known', async () => {
    await expect(count({ nextAt: null })).rejects.toThrow(DashboardRefusal);
  });
});

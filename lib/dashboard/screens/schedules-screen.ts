import { nextTicks } from '../../schedules/next-ticks.js';
import { previewSchedule } from '../../schedules/preview-schedule.js';
import type { Schedule } from '../../schedules/schedule.js';
import type { Preview, ScheduleRow, Schedules } from '../api/screens.js';
import type { JobsSources } from '../jobs-sources.js';
import { DashboardRefusal } from '../web/refusal.js';
import { millisOf } from './job-row.js';
import { numberOf } from './query.js';

const PAGE = 100;
const TICKS = 5;

/** GET api/schedules */
export async function schedulesScreen(
  { schedules, queue, reads }: JobsSources,
  query: URLSearchParams,
): Promise<Schedules> {
  const after = query.get('after') ?? undefined;
  const options = { limit: PAGE + 1, ...(after !== undefined && after !== '' && { after }) };
  const [now, found] = await reads.run(() => Promise.all([queue.reads.now(), schedules.list(options)]));
  const shown = found.slice(0, PAGE);
  return {
    now: Math.floor(now),
    schedules: shown.map(scheduleRow),
    next: found.length > PAGE ? shown.at(-1)!.name : null,
  };
}

/** GET api/preview. By the clock of this process: nothing is asked of the database. */
export function preview(query: URLSearchParams): Preview {
  const cron = query.get('cron');
  const everyMs = numberOf(query, 'everyMs');
  if ((cron === null) === (everyMs === undefined))
    throw new DashboardRefusal('invalid', 'Give either cron, with timeZone, or everyMs.');
  const timeZone = query.get('timeZone') ?? undefined;
  const spec = cron === null ? { everyMs: everyMs! } : { cron, ...(timeZone !== undefined && { timeZone }) };
  return { ticks: previewSchedule(spec, { count: TICKS }).map((tick) => tick.getTime()) };
}

function scheduleRow(schedule: Schedule): ScheduleRow {
  const { name, kind, cron, timeZone, everyMs, declared, enabled, nextAt, skipped, overdue } = schedule;
  return {
    ...{ name, kind, cron: cron ?? null, timeZone: timeZone ?? null, everyMs: everyMs ?? null },
    ...{
      declared,
      enabled,
      nextAt: millisOf(nextAt),
      ticks: nextTicks(schedule, TICKS).map((tick) => tick.getTime()),
    },
    lastTick: millisOf(schedule.lastTick),
    lastJobId: schedule.lastJobId ?? null,
    paused: schedule.paused
      ? { since: millisOf(schedule.pausedAt)!, reason: schedule.pausedReason ?? null }
      : null,
    ...{ overdue, skipped },
  };
}

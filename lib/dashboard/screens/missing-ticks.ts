import { jobIdOf } from '../../schedules/tick-jobs.js';
import { occurrencesOf } from '../../schedules/occurrences.js';
import type { Schedule } from '../../schedules/schedule.js';
import type { Backfilled } from '../api/actions.js';
import type { ScheduleRule } from '../../schedules/schedule-rule.js';
import type { JobsSources } from '../jobs-sources.js';
import { DashboardRefusal } from '../web/refusal.js';

/** How many ticks a preview looks at. */
const MOST_TICKS = 1_000;

/** What a backfill is to make. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
  readonly limit: number | undefined;
}

/**
 * How many jobs a backfill would make, and how many of its ticks have one.
 * @throws DashboardRefusal where it is not known when the schedule ticks
 */
export async function missingTicks(
  { queue, reads }: Pick<JobsSources, 'queue' | 'reads'>,
  schedule: Schedule,
  { from, to, limit = Infinity }: Span,
): Promise<Backfilled> {
  const occurrences = occurrencesOf(ruleOf(schedule));
  const most = Math.min(limit, MOST_TICKS);
  const ids: string[] = [];
  let tick = occurrences.next(new Date(from.getTime() - 1));
  for (; tick !== null && tick <= to && ids.length < most; tick = occurrences.next(tick))
    ids.push(jobIdOf(schedule.name, tick));
  const existing = ids.length === 0 ? 0 : (await reads.run(() => queue.schedules.existing(ids))).length;
  const capped = tick !== null && tick <= to && ids.length < limit;
  return { created: ids.length - existing, existing, capped };
}

/** The ticks of an interval are told by one that is known. */
function ruleOf({ cron, timeZone, everyMs, startAt, endAt, nextAt, lastTick }: Schedule): ScheduleRule {
  if (cron !== undefined && timeZone !== undefined) return { cron, timeZone, startAt, endAt };
  const anchor = nextAt ?? lastTick;
  if (everyMs !== undefined && anchor !== undefined) return { everyMs, anchor, startAt, endAt };
  throw new DashboardRefusal(
    'refused',
    'It is not known how many jobs that would be: the schedule has no ticks, neither past nor future.',
  );
}

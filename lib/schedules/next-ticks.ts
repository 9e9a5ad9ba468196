import { previewSchedule } from './preview-schedule.js';
import type { Schedule } from './schedule.js';

/**
 * The next ticks of a schedule as it stands, a pause left aside: the first is as it is stored, the others follow from it.
 *
 * @param count how many at most: 1 to 1,000
 * @returns fewer where `endAt` comes first, and none where it has no next tick
 */
export function nextTicks(
  {
    cron,
    timeZone,
    everyMs,
    nextAt,
    endAt,
  }: Pick<Schedule, 'cron' | 'timeZone' | 'everyMs' | 'nextAt' | 'endAt'>,
  count: number,
): Date[] {
  if (nextAt === null) return [];
  if (cron !== undefined) return previewSchedule({ cron, timeZone, endAt }, { from: nextAt, count });
  if (everyMs === undefined) return [nextAt];
  const ticks = Array.from({ length: count }, (_, n) => new Date(nextAt.getTime() + n * everyMs));
  return ticks.filter((tick) => endAt === undefined || tick <= endAt);
}

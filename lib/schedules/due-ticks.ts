import type { UpcomingSchedule } from '../queue/schedule-store.js';
import { occurrencesOf } from './occurrences.js';
import type { ScheduleTerms } from './schedule-terms.js';

/** What is due of a schedule. */
export interface DueTicks {
  /** Those that are to make jobs, ascending. */
  readonly ticks: readonly Date[];
  /** The newest of all that are due. */
  readonly lastTick: Date;
  /** The one after all that are due. */
  readonly followingAt: Date | null;
  /** How many that are due are to make no job: at most `COUNTED`. */
  readonly missedCount: number;
}

/** A tick that is not later than this was not missed: a worker was there, and slow or restarted. */
export const ON_TIME_MS = 5_000;
/** The most ticks that are made up for. */
const MAX_MADE_UP = 1_000;
/** How far the ticks that were missed are counted. */
export const COUNTED = 10_000;

/**
 * Which of the ticks that are due make jobs. One that is on time does, and those after it are looked at next. Where the
 * first one is late, no worker ran, and `missed` decides over all that have come since.
 */
export function dueTicks(terms: ScheduleTerms, { schedule, msUntil }: UpcomingSchedule): DueTicks {
  const nextAt = schedule.nextAt!;
  const occurrences = occurrencesOf(terms.rule);
  if (-msUntil <= ON_TIME_MS && schedule.catchUp === null)
    return { ticks: [nextAt], lastTick: nextAt, followingAt: occurrences.next(nextAt), missedCount: 0 };
  const now = new Date(nextAt.getTime() - msUntil);
  const last = occurrences.previous(new Date(now.getTime() + 1));
  const lastTick = last === null || last < nextAt ? nextAt : last;
  const ticks = madeUp(terms, { nextAt, lastTick, now, catchUp: schedule.catchUp });
  const all = occurrences.countBetween(justBefore(nextAt), now, COUNTED);
  return {
    ticks,
    lastTick,
    followingAt: occurrences.next(now),
    missedCount: Math.max(0, all - ticks.length),
  };
}

interface Missed {
  readonly nextAt: Date;
  readonly lastTick: Date;
  readonly now: Date;
  /** What a resume has said takes precedence over the rule, and has no window. */
  readonly catchUp: 'last' | 'all' | null;
}

function madeUp(terms: ScheduleTerms, { nextAt, lastTick, now, catchUp }: Missed): Date[] {
  const missed = catchUp ?? terms.missed;
  const withinMs = catchUp === null ? terms.missedWithinMs : Infinity;
  const oldest = Math.max(nextAt.getTime(), now.getTime() - withinMs);
  if (missed === 'all')
    return occurrencesOf(terms.rule).ticksBetween(justBefore(new Date(oldest)), now, MAX_MADE_UP);
  const lateMs = now.getTime() - lastTick.getTime();
  const isWanted = missed === 'last' ? lastTick.getTime() >= oldest : lateMs <= ON_TIME_MS;
  return isWanted ? [lastTick] : [];
}

function justBefore(date: Date): Date {
  return new Date(date.getTime() - 1);
}

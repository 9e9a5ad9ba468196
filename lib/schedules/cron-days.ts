import type { CronFields } from './cron-calendar.js';

/** What Croner has read of the day of month and the day of week. */
export interface DayFields {
  /** 31 flags. */
  readonly day: readonly number[];
  /** 31 flags: `15W`, the weekday that is nearest to the 15th in its month. */
  readonly nearestWeekdays: readonly number[];
  /** `L` */
  readonly lastDayOfMonth: boolean;
  /** `LW` */
  readonly lastWeekday: boolean;
  /** From Sunday on, for each weekday a bit for its first to fifth in the month, and one for its last. */
  readonly dayOfWeek: readonly number[];
  /** The day of month is `*` alone. */
  readonly starDOM: boolean;
  /** The day of week is `*` alone. */
  readonly starDOW: boolean;
  /** `+` before the day of week: both must fit. */
  readonly useAndLogic: boolean;
}

/** The bit of `5#L`. */
const LAST = 32;

/**
 * Which days an expression wants. Where both a day of month and a day of week are given, either is enough, unless `+`
 * stands before the day of week. Only `*` alone counts as not given.
 */
export function dayRule(fields: DayFields): CronFields['hasDay'] {
  const { starDOM, starDOW, useAndLogic } = fields;
  const isDate = dateRule(fields);
  const isWeekday = weekdayRule(fields);
  if (starDOW) return isDate;
  return useAndLogic || starDOM
    ? (...day) => isDate(...day) && isWeekday(...day)
    : (...day) => isDate(...day) || isWeekday(...day);
}

function dateRule({ day, nearestWeekdays, lastDayOfMonth, lastWeekday }: DayFields): CronFields['hasDay'] {
  const named = day.flatMap((isSet, index) => (isSet ? [index + 1] : []));
  const nearTo = nearestWeekdays.flatMap((isSet, index) => (isSet ? [index + 1] : []));
  return (date, length, firstWeekday) =>
    named.includes(date) ||
    (lastDayOfMonth && date === length) ||
    (lastWeekday && date === nearestWeekday(length, length, firstWeekday)) ||
    nearTo.some((target) => target <= length && date === nearestWeekday(target, length, firstWeekday));
}

function weekdayRule({ dayOfWeek }: DayFields): CronFields['hasDay'] {
  return (date, length, firstWeekday) => {
    const wanted = dayOfWeek[weekdayOf(date, firstWeekday)]!;
    const isLast = date + 7 > length;
    const nth = Math.floor((date - 1) / 7);
    return (wanted & (1 << nth)) !== 0 || ((wanted & LAST) !== 0 && isLast);
  };
}

/** The day from Monday to Friday that is nearest to a date and in the same month. */
function nearestWeekday(date: number, length: number, firstWeekday: number): number {
  const weekday = weekdayOf(date, firstWeekday);
  if (weekday === 6) return date === 1 ? 3 : date - 1;
  if (weekday === 0) return date === length ? date - 2 : date + 1;
  return date;
}

function weekdayOf(date: number, firstWeekday: number): number {
  return (firstWeekday + date - 1) % 7;
}

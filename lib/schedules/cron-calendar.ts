const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;
/** `Date.UTC` takes years below it for those of the twentieth century. */
const FIRST_YEAR = 100;
/** Nothing can be stored beyond it. */
const LAST_YEAR = 9999;
const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6];

/** What a cron expression asks for. Lists are ascending. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** 0 to 11. */
  readonly months: readonly number[];
  /** Whether a day is wanted, of a month that has `length` days and begins on `firstWeekday` (0 is Sunday). */
  readonly hasDay: (day: number, length: number, firstWeekday: number) => boolean;
}

/** Later, or earlier. */
type Direction = 1 | -1;

/**
 * The times that a cron expression names, on a clock that is never set: milliseconds as if it showed UTC, always whole
 * seconds.
 *
 * A month has 28 to 31 days and begins on one of seven weekdays. The days that are wanted are worked out once for each of
 * these 28 months. So a search looks at months rather than at days, and it is certain whether there is any day at all:
 * a search for one would go over 400 years.
 */
export class CronCalendar {
  private readonly days = new Map<number, readonly number[]>();

  constructor(private readonly fields: CronFields) {}

  /** Whether no day fits, as with the 30th of February. */
  get isEmpty(): boolean {
    return this.fields.months.every((month) =>
      lengthsOf(month).every((length) =>
        WEEKDAYS.every((weekday) => this.daysOf(length, weekday).length === 0),
      ),
    );
  }

  /** The first time from `wall` on. Null where there is none before the year 10,000. */
  next(wall: number): number | null {
    return this.nearest(Math.ceil(wall / 1000), 1);
  }

  /** The last time up to `wall`. */
  previous(wall: number): number | null {
    return this.nearest(Math.floor(wall / 1000), -1);
  }

  private nearest(second: number, direction: Direction): number | null {
    const day = Math.floor(second / DAY_SECONDS);
    const near = this.dayFrom(day, direction);
    if (near === null) return null;
    if (near !== day) return this.timeOn(near, this.firstTime(direction));
    const time = this.timeFrom(second - day * DAY_SECONDS, direction);
    if (time !== null) return this.timeOn(day, time);
    const other = this.dayFrom(day + direction, direction);
    return other === null ? null : this.timeOn(other, this.firstTime(direction));
  }

  private timeOn(day: number, second: number): number {
    return (day * DAY_SECONDS + second) * 1000;
  }

  /** The first time of a day in a direction, in seconds since midnight. */
  private firstTime(direction: Direction): number {
    const { hours, minutes, seconds } = this.fields;
    return timeOf(first(hours, direction), first(minutes, direction), first(seconds, direction));
  }

  /** The first time of a day from `time` on; null where the day has no more of them. */
  private timeFrom(time: number, direction: Direction): number | null {
    const { hours, minutes, seconds } = this.fields;
    const [hour, minute, second] = [Math.floor(time / 3600), Math.floor(time / 60) % 60, time % 60];
    if (hours.includes(hour)) {
      const exact = minutes.includes(minute) ? from(seconds, second, direction) : undefined;
      if (exact !== undefined) return timeOf(hour, minute, exact);
      const later = from(minutes, minute + direction, direction);
      if (later !== undefined) return timeOf(hour, later, first(seconds, direction));
    }
    const later = from(hours, hour + direction, direction);
    return later === undefined ? null : timeOf(later, first(minutes, direction), first(seconds, direction));
  }

  /** The first day from `day` on, in days since 1970. */
  private dayFrom(day: number, direction: Direction): number | null {
    const date = new Date(day * DAY_MS);
    let [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
    if (direction === 1 && year < FIRST_YEAR) [year, month, dayOfMonth] = [FIRST_YEAR, 0, 1];
    if (direction === -1 && year > LAST_YEAR) [year, month, dayOfMonth] = [LAST_YEAR, 11, 31];
    while (year >= FIRST_YEAR && year <= LAST_YEAR) {
      const found = this.fields.months.includes(month)
        ? from(this.daysIn(year, month), dayOfMonth, direction)
        : undefined;
      if (found !== undefined) return Date.UTC(year, month, found) / DAY_MS;
      month += direction;
      if (month < 0 || month > 11) [year, month] = [year + direction, month < 0 ? 11 : 0];
      dayOfMonth = direction === 1 ? 1 : 31;
    }
    return null;
  }

  private daysIn(year: number, month: number): readonly number[] {
    const start = Date.UTC(year, month, 1);
    return this.daysOf((Date.UTC(year, month + 1, 1) - start) / DAY_MS, new Date(start).getUTCDay());
  }

  private daysOf(length: number, firstWeekday: number): readonly number[] {
    const key = length * 7 + firstWeekday;
    const known = this.days.get(key);
    if (known !== undefined) return known;
    const all = Array.from({ length }, (_, index) => index + 1);
    const days = all.filter((day) => this.fields.hasDay(day, length, firstWeekday));
    this.days.set(key, days);
    return days;
  }
}

function lengthsOf(month: number): readonly number[] {
  if (month === 1) return [28, 29];
  return [3, 5, 8, 10].includes(month) ? [30] : [31];
}

function timeOf(hour: number, minute: number, second: number): number {
  return (hour * 60 + minute) * 60 + second;
}

/** The first of a list in a direction. The fields of an expression are never empty. */
function first(values: readonly number[], direction: Direction): number {
  return values.at(direction === 1 ? 0 : -1)!;
}

/** The first of a list from `bound` on. */
function from(values: readonly number[], bound: number, direction: Direction): number | undefined {
  return direction === 1
    ? values.find((value) => value >= bound)
    : values.findLast((value) => value <= bound);
}

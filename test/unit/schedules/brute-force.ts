/*
 * A second opinion on ticks: every second or minute of a span is looked at, one after another, with a reader of its own
 * for cron expressions. It shares nothing with lib and is far too slow for it.
 */
const MINUTE = 60_000;
/** What was shown before the span matters. No clock is set back by more in these tests. */
const PRELUDE = 3 * 3_600_000;

/** All ticks from `from` to `to`, in milliseconds. Both are whole minutes. */
export function scan(expression: string, timeZone: string, from: number, to: number): number[] {
  const cron = read(expression);
  const step = cron.hasSeconds ? 1000 : MINUTE;
  const ticks: number[] = [];
  let seen = -Infinity;
  for (let instant = from - PRELUDE; instant <= to; instant += step) {
    const wall = wallAt(timeZone, instant);
    const isTick = cron.isClockTime ? anyFits(cron, seen, wall, step) : fits(cron, wall);
    if (isTick && instant >= from) ticks.push(instant);
    seen = Math.max(seen, wall);
  }
  return ticks;
}

/** The days that fit, among those from `from` to `to`, as texts. */
export function scanDays(expression: string, from: string, to: string): string[] {
  const cron = read(expression);
  const days: string[] = [];
  for (let day = Date.parse(from); day <= Date.parse(to); day += 86_400_000)
    if (dayFits(cron, day)) days.push(new Date(day).toISOString().slice(0, 10));
  return days;
}

interface Cron {
  readonly hasSeconds: boolean;
  readonly isClockTime: boolean;
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly dates: string;
  readonly weekdays: string;
}

function read(expression: string): Cron {
  const parts = expression.split(' ');
  const [second, minute, hour, dates, month, weekdays] = (parts.length === 5 ? ['0', ...parts] : parts) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    hasSeconds: parts.length === 6,
    isClockTime: !/\*|\b0-59\b/.test(minute) && !/\*|\b0-23\b/.test(hour),
    seconds: numbers(second, 0, 59),
    minutes: numbers(minute, 0, 59),
    hours: numbers(hour, 0, 23),
    months: numbers(month, 1, 12),
    dates,
    weekdays,
  };
}

function numbers(field: string, min: number, max: number): Set<number> {
  const all = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [low, high] = range === '*' ? [min, max] : range.split('-').map(Number);
    for (let value = low!; value <= (high ?? low!); value += Number(step)) all.add(value);
  }
  return all;
}

function anyFits(cron: Cron, seen: number, wall: number, step: number): boolean {
  if (seen === -Infinity) return fits(cron, wall);
  for (let time = seen + step; time <= wall; time += step) if (fits(cron, time)) return true;
  return false;
}

function fits(cron: Cron, wall: number): boolean {
  const time = new Date(wall);
  return (
    cron.seconds.has(time.getUTCSeconds()) &&
    cron.minutes.has(time.getUTCMinutes()) &&
    cron.hours.has(time.getUTCHours()) &&
    dayFits(cron, wall)
  );
}

function dayFits({ months, dates, weekdays }: Cron, wall: number): boolean {
  const day = new Date(wall);
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const isDate = dates.split(',').some((part) => dateFits(part, day));
  if (weekdays === '*') return isDate;
  const isWeekday = weekdays
    .replace('+', '')
    .split(',')
    .some((part) => weekdayFits(part, day));
  return dates === '*' || weekdays.startsWith('+') ? isDate && isWeekday : isDate || isWeekday;
}

function dateFits(part: string, day: Date): boolean {
  const date = day.getUTCDate();
  const last = lastOf(day);
  if (part === 'L') return date === last;
  if (part === 'LW') return date === workdayNear(last, day);
  if (part.endsWith('W'))
    return Number.parseInt(part) <= last && date === workdayNear(Number.parseInt(part), day);
  return numbers(part, 1, 31).has(date);
}

/** Goes one day away in each direction, then two. */
function workdayNear(target: number, day: Date): number {
  const near = [0, -1, 1, -2, 2].map((away) => target + away);
  return near.find((date) => {
    const weekday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), date)).getUTCDay();
    return date >= 1 && date <= lastOf(day) && weekday >= 1 && weekday <= 5;
  })!;
}

function weekdayFits(part: string, day: Date): boolean {
  const [weekdays = '', nth] = part.split('#');
  const wanted = [...numbers(weekdays, 0, 7)].map((weekday) => weekday % 7);
  if (!wanted.includes(day.getUTCDay())) return false;
  if (nth === undefined) return true;
  if (nth === 'L') return day.getUTCDate() > lastOf(day) - 7;
  return Math.ceil(day.getUTCDate() / 7) === Number(nth);
}

function lastOf(day: Date): number {
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
}

const formats = new Map<string, Intl.DateTimeFormat>();
const walls = new Map<string, number>();

/** What the clock shows, as if it were UTC. It is set at whole minutes, nowadays. */
function wallAt(timeZone: string, instant: number): number {
  const minute = Math.floor(instant / MINUTE) * MINUTE;
  const key = `${timeZone} ${minute}`;
  let wall = walls.get(key);
  if (wall === undefined) {
    const format =
      formats.get(timeZone) ??
      new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(timeZone, format);
    wall = Date.parse(`${format.format(minute).replace(' ', 'T')}Z`);
    walls.set(key, wall);
  }
  return wall + (instant - minute);
}

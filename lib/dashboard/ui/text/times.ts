const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
] as const;

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const WEEKDAYS = 'SunMonTueWedThuFriSat';

/** `0 ms`, `350 ms`, `1.2 s`, `42 s`, `3m 05s`, `2h 10m`, `4d 3h`. */
export function duration(ms: number): string {
  if (Math.round(ms) < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  const [bigName, big] = UNITS[first]!;
  const [smallName, small] = UNITS[first + 1]!;
  const rest = Math.floor((ms % big) / small);
  return `${Math.floor(ms / big)}${bigName} ${String(rest).padStart(2, '0')}${smallName}`;
}

/** An instant, as JSON has it: null where the database has one that no clock gets to, as `infinity`. */
export type MaybeUndated = number | null;

const NO_DATE = 'no date';

/** `just now`, `12 s ago`, `in 3 min`, `2 h ago`, `5 days ago`, `in 4 months`. */
export function ago(at: MaybeUndated, now: number): string {
  if (at === null) return NO_DATE;
  const distance = Math.abs(now - at);
  if (distance < 2 * SECOND) return 'just now';
  return at <= now ? `${roughly(distance)} ago` : `in ${roughly(distance)}`;
}

function roughly(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  if (ms < 60 * DAY) return `${Math.floor(ms / DAY)} days`;
  return ms < 730 * DAY ? `${Math.floor(ms / (30 * DAY))} months` : `${Math.floor(ms / (365 * DAY))} years`;
}

/** `2026-11-27 09:30:05` in a zone. @param timeZone the viewer's by default */
export function instant(at: MaybeUndated, timeZone?: string): string {
  if (at === null) return NO_DATE;
  const part = partsOf(at, timeZone);
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}:${part('second')}`;
}

/** `09:30:05` in a zone. */
export function timeOfDay(at: number, timeZone?: string): string {
  return instant(at, timeZone).slice(11);
}

/** `Fri 27 Nov, 09:30`, with the year where it is not that of now. */
export function shortInstant(at: MaybeUndated, now: number, timeZone?: string): string {
  if (at === null) return NO_DATE;
  const sameYear = instant(at, timeZone).slice(0, 4) === instant(now, timeZone).slice(0, 4);
  const [date = '', time = ''] = instant(at, timeZone).split(' ');
  const [year, month, day] = date.split('-').map(Number) as [number, number, number];
  const name = MONTHS.slice(3 * (month - 1), 3 * month);
  const weekday = WEEKDAYS.slice(3 * new Date(Date.UTC(year, month - 1, day)).getUTCDay()).slice(0, 3);
  return sameYear
    ? `${weekday} ${day} ${name}, ${time.slice(0, 5)}`
    : `${day} ${name} ${year}, ${time.slice(0, 5)}`;
}

/** `2026-11-27 08:30:05 UTC`. */
export function utc(at: number): string {
  return `${instant(at, 'UTC')} UTC`;
}

/** The value of an `<input type="datetime-local">`, in a zone. */
export function inputValue(at: number, timeZone?: string): string {
  return instant(at, timeZone).replace(' ', 'T');
}

function partsOf(at: number, timeZone: string | undefined): (name: string) => string {
  const parts = formatOf(timeZone).formatToParts(at);
  return (name) => parts.find(({ type }) => type === name)?.value ?? '';
}

/** Making one costs a hundred times as much as using it, and a screen has hundreds of instants. */
const formats = new Map<string | undefined, Intl.DateTimeFormat>();

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en', {
      ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
      ...({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const),
      timeZone,
    });
    formats.set(timeZone, format);
  }
  return format;
}

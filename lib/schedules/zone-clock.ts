import { likelyName } from '../job/did-you-mean.js';
import { InvalidScheduleError } from '../job/errors.js';
import { describeType } from '../job/names.js';
import { BoundedCache } from './bounded-cache.js';

const DAY_MS = 86_400_000;
/** No zone has ever been further from UTC. */
const MAX_OFFSET_MS = 16 * 3_600_000;
/** A formatter is some ten kilobytes. The zones of the world are about 400. */
const MAX_ZONES = 500;
/** For each zone: a rule looks at a handful of days at a time. */
const MAX_DAYS = 2000;

/** The clocks of a zone are set: forward, which leaves a gap, or back, which repeats a span. Milliseconds. */
export interface Transition {
  /** The first instant with the new offset. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** What a time on the clock means: when it is shown, or that the clock leaps over it. */
export type Shown = { readonly first: number; readonly last: number } | { readonly gap: Transition };

/** The clock of a time zone. Without a date library: `Intl` tells the offset at an instant, and the rest follows from it. */
export class ZoneClock {
  private readonly format: Intl.DateTimeFormat;
  /** The offset at the start of days, by their number since 1970 in UTC. */
  private readonly offsets = new BoundedCache<number, number>(MAX_DAYS, (day) => this.probe(day * DAY_MS));
  private readonly changes = new BoundedCache<number, Transition | null>(MAX_DAYS, (day) =>
    this.changeOn(day),
  );

  /** @throws InvalidScheduleError with the path `timeZone` */
  static of(timeZone: string): ZoneClock {
    return clocks.get(timeZone);
  }

  constructor(timeZone: string) {
    this.format = formatIn(timeZone);
  }

  /** How far the clock is ahead of UTC, in milliseconds. */
  offsetAt(instant: number): number {
    const day = Math.floor(instant / DAY_MS);
    const change = this.changes.get(day);
    if (change === null) return this.offsets.get(day);
    return instant < change.at ? change.before : change.after;
  }

  /**
   * The first transition after `from` and up to `to`. There has not been a zone with two of them within a week; so what a
   * span of days needs to know is at most one.
   */
  transitionWithin(from: number, to: number): Transition | undefined {
    for (let day = Math.floor(from / DAY_MS); day * DAY_MS <= to; day++) {
      const change = this.changes.get(day);
      if (change !== null && change.at > from && change.at <= to) return change;
    }
    return undefined;
  }

  /** When the clock shows a time: `first` and `last` differ only where the clock is set back over it. */
  instantsOf(wall: number): Shown {
    const change = this.transitionWithin(wall - MAX_OFFSET_MS, wall + MAX_OFFSET_MS);
    if (change === undefined) {
      const instant = wall - this.offsetAt(wall);
      return { first: instant, last: instant };
    }
    const [early, late] = [wall - change.before, wall - change.after];
    if (early < change.at) return { first: early, last: late >= change.at ? late : early };
    return late >= change.at ? { first: late, last: late } : { gap: change };
  }

  private changeOn(day: number): Transition | null {
    const [before, after] = [this.offsets.get(day), this.offsets.get(day + 1)];
    if (before === after) return null;
    let [from, to] = [day * DAY_MS, (day + 1) * DAY_MS];
    while (to - from > 1000) {
      const middle = from + Math.floor((to - from) / 2000) * 1000;
      if (this.probe(middle) === before) from = middle;
      else to = middle;
    }
    return { at: to, before, after };
  }

  private probe(instant: number): number {
    const [, sign, hours, minutes = 0, seconds = 0] = OFFSET.exec(this.format.format(instant)) ?? [];
    if (hours === undefined) return 0; // GMT alone
    const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    return (sign === '-' ? -total : total) * 1000;
  }
}

/** The end of `12/31/2026, GMT-03:30`. Old local times have seconds as well. */
const OFFSET = /GMT([+-])(\d+)(?::(\d+))?(?::(\d+))?$/;

const clocks = new BoundedCache<string, ZoneClock>(MAX_ZONES, (timeZone) => new ZoneClock(timeZone));

function formatIn(timeZone: unknown): Intl.DateTimeFormat {
  if (typeof timeZone !== 'string') {
    throw new InvalidScheduleError(
      'timeZone',
      `is ${describeType(timeZone)}; it must be a name such as 'Europe/Berlin'.`,
    );
  }
  try {
    // Newer versions of Node know offsets too. A rule must mean the same on all of them.
    if (!/^[a-z]/i.test(timeZone)) throw new RangeError(`Invalid time zone specified: ${timeZone}`);
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  } catch (cause) {
    const meant = likelyName(timeZone, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
    const question = meant === undefined ? '' : ` Did you mean "${meant}"?`;
    throw new InvalidScheduleError(
      'timeZone',
      `is ${JSON.stringify(timeZone.slice(0, 100))}, which is no time zone of the IANA database.${question} ` +
        `It must be a name such as 'Europe/Berlin', or 'UTC'; it is never taken from the process.`,
      { cause },
    );
  }
}

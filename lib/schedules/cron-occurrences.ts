import type { CronCalendar } from './cron-calendar.js';
import type { Ticks } from './ticks.js';
import type { Transition, ZoneClock } from './zone-clock.js';

/** How far back a clock may be set: a whole day, where a zone crosses the date line. Half as much again is looked at. */
const SET_BACK_MS = 36 * 3_600_000;
const SECOND_MS = 1000;

/**
 * The ticks of an interval: every instant at which the clock of the zone shows one of the times. A time in a gap is left
 * out, and a time that the clock shows twice is a tick twice.
 */
export class IntervalTimes implements Ticks {
  constructor(
    private readonly calendar: CronCalendar,
    private readonly clock: ZoneClock,
  ) {}

  next(after: number): number | null {
    return this.firstFrom(secondAfter(after));
  }

  previous(before: number): number | null {
    return this.lastUntil(secondBefore(before));
  }

  private firstFrom(start: number): number | null {
    const wall = this.calendar.next(start + this.clock.offsetAt(start));
    if (wall === null) return null;
    const change = this.clock.transitionWithin(start, start + SET_BACK_MS);
    if (change !== undefined) {
      const instant = wall - change.before;
      return instant < change.at ? instant : this.firstFrom(change.at);
    }
    const shown = this.clock.instantsOf(wall);
    if ('gap' in shown) return this.firstFrom(shown.gap.at);
    return shown.first >= start ? shown.first : shown.last;
  }

  private lastUntil(end: number): number | null {
    const wall = this.calendar.previous(end + this.clock.offsetAt(end));
    if (wall === null) return null;
    const change = this.clock.transitionWithin(end - SET_BACK_MS, end);
    if (change !== undefined) {
      const instant = wall - change.after;
      return instant >= change.at ? instant : this.lastUntil(change.at - SECOND_MS);
    }
    const shown = this.clock.instantsOf(wall);
    if ('gap' in shown) return this.lastUntil(shown.gap.at - SECOND_MS);
    return shown.last <= end ? shown.last : shown.first;
  }
}

/**
 * The ticks of clock times: each time once, when the clock first shows it. What falls into a gap is one tick at the first
 * instant after it.
 */
export class ClockTimes implements Ticks {
  constructor(
    private readonly calendar: CronCalendar,
    private readonly clock: ZoneClock,
  ) {}

  /* Ticks keep the order of their times. So the answer is the first time whose tick is late enough. */
  next(after: number): number | null {
    const start = secondAfter(after);
    const before = start - SECOND_MS;
    const wall = this.calendar.next(before + this.clock.offsetAt(before) + SECOND_MS);
    const tick = this.tickOf(wall);
    if (tick === null || tick >= start) return tick;
    // The clock has been set back: it shows for the second time what it has shown before.
    const change = this.changeBefore(start)!;
    return this.tickOf(this.calendar.next(change.at + change.before));
  }

  previous(before: number): number | null {
    const end = secondBefore(before);
    const change = this.changeBefore(end);
    const shown = end + this.clock.offsetAt(end);
    const seen = change === undefined ? shown : Math.max(shown, change.at + change.before - SECOND_MS);
    return this.tickOf(this.calendar.previous(seen));
  }

  private tickOf(wall: number | null): number | null {
    if (wall === null) return null;
    const shown = this.clock.instantsOf(wall);
    return 'gap' in shown ? shown.gap.at : shown.first;
  }

  private changeBefore(instant: number): Transition | undefined {
    return this.clock.transitionWithin(instant - SET_BACK_MS, instant);
  }
}

function secondAfter(instant: number): number {
  return (Math.floor(instant / SECOND_MS) + 1) * SECOND_MS;
}

function secondBefore(instant: number): number {
  return (Math.ceil(instant / SECOND_MS) - 1) * SECOND_MS;
}

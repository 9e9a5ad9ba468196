import { CronPattern } from 'croner';
import { InvalidScheduleError } from '../job/errors.js';
import { describeNumber, describeType, millisOf } from '../job/names.js';
import { BoundedCache } from './bounded-cache.js';
import { CronCalendar, type CronFields } from './cron-calendar.js';
import { dayRule } from './cron-days.js';
import { faultOf } from './cron-fault.js';
import { ClockTimes, IntervalTimes } from './cron-occurrences.js';
import { EARLIEST_MS, LATEST_MS } from './instants.js';
import { IntervalTicks } from './interval-ticks.js';
import type { ScheduleRule } from './schedule-rule.js';
import type { Ticks } from './ticks.js';
import { ZoneClock } from './zone-clock.js';

/** Longer than any that means something: every second, minute and hour one by one are 330 characters. */
const MAX_EXPRESSION_LENGTH = 500;
/** A compiled expression is about two kilobytes. */
const MAX_COMPILED = 2000;

/** The ticks of a rule, within its `startAt` and `endAt`. */
export interface Occurrences {
  /** The first tick after an instant. Null where there is none. */
  next(after: Date): Date | null;
  /** The last tick before an instant. Null where there is none. */
  previous(before: Date): Date | null;
  /**
   * The ticks after `from` and up to `to`, ascending; where there are more than `limit`, the newest of them. Costs
   * what it returns, however many there are.
   */
  ticksBetween(from: Date, to: Date, limit: number): Date[];
  /** How many ticks there are after `from` and up to `to`. Counts to `cap` and no further. */
  countBetween(from: Date, to: Date, cap: number): number;
}

/**
 * Works out the ticks of a rule. The same rule gives the same ticks in each process: neither its clock nor its time zone
 * takes part.
 *
 * @throws InvalidScheduleError with the path `cron`, `timeZone` or `everyMs`
 */
export function occurrencesOf(rule: ScheduleRule): Occurrences {
  const startAt = rule.startAt === undefined ? EARLIEST_MS : millisOf(rule.startAt);
  const endAt = rule.endAt === undefined ? LATEST_MS : millisOf(rule.endAt);
  return new BoundedOccurrences(ticksOf(rule), startAt, endAt);
}

class BoundedOccurrences implements Occurrences {
  constructor(
    private readonly ticks: Ticks,
    private readonly startAt: number,
    private readonly endAt: number,
  ) {}

  next(after: Date): Date | null {
    const tick = this.ticks.next(Math.max(millis(after), this.startAt - 1));
    return tick === null || tick > this.endAt ? null : new Date(tick);
  }

  previous(before: Date): Date | null {
    const tick = this.previousTick(millis(before));
    return tick === null ? null : new Date(tick);
  }

  ticksBetween(from: Date, to: Date, limit: number): Date[] {
    return this.newest(from, to, limit).map((tick) => new Date(tick));
  }

  countBetween(from: Date, to: Date, cap: number): number {
    return this.newest(from, to, cap).length;
  }

  private newest(from: Date, to: Date, limit: number): number[] {
    const found: number[] = [];
    const start = millis(from);
    let tick = this.previousTick(millis(to) + 1);
    while (tick !== null && tick > start && found.length < limit) {
      found.push(tick);
      tick = this.previousTick(tick);
    }
    return found.reverse();
  }

  private previousTick(before: number): number | null {
    const tick = this.ticks.previous(Math.min(before, this.endAt + 1));
    return tick === null || tick < this.startAt ? null : tick;
  }
}

function millis(instant: Date): number {
  const value = millisOf(instant);
  if (Number.isNaN(value)) throw new InvalidScheduleError('instant', 'is an invalid Date.');
  return Math.min(Math.max(value, EARLIEST_MS), LATEST_MS);
}

function ticksOf(rule: ScheduleRule): Ticks {
  if ('everyMs' in rule) return new IntervalTicks(requirePeriod(rule.everyMs), millisOf(rule.anchor));
  const { calendar, isClockTime } = compiled.get(requireExpression(rule.cron));
  const clock = ZoneClock.of(rule.timeZone);
  return isClockTime ? new ClockTimes(calendar, clock) : new IntervalTimes(calendar, clock);
}

interface CompiledExpression {
  readonly calendar: CronCalendar;
  /** Whether minute and hour are given without a wildcard, so that they name times on the clock and no interval. */
  readonly isClockTime: boolean;
}

const compiled = new BoundedCache<string, CompiledExpression>(MAX_COMPILED, (expression) => {
  const pattern = parse(expression);
  const calendar = new CronCalendar(fieldsOf(pattern));
  if (calendar.isEmpty) {
    throw new InvalidScheduleError(
      'cron',
      `is ${JSON.stringify(expression)}, and there is no such day in any year. Correct its day of month, month or day of week.`,
    );
  }
  const [minute = '', hour = ''] = pattern.pattern.trim().split(/\s+/).slice(-5);
  return { calendar, isClockTime: !isWild(minute, 59) && !isWild(hour, 23) };
});

/**
 * Whether a field has a wildcard, alone or with a step. A range over the whole field is one written out: the names for
 * expressions in @nestjs/schedule have `0-23/2` for every second hour.
 */
function isWild(field: string, max: number): boolean {
  const whole = new RegExp(`^0+-0*${max}(/|$)`);
  return /[*?]/.test(field) || field.split(',').some((part) => whole.test(part));
}

/* `resolveSchedule` asks for a second at least. What has been stored may be anything. */
function requirePeriod(everyMs: number): number {
  if (Number.isSafeInteger(everyMs) && everyMs >= 1) return everyMs;
  throw new InvalidScheduleError(
    'everyMs',
    `is ${describeNumber(everyMs)}; it must be a whole number from 1000.`,
  );
}

function requireExpression(cron: unknown): string {
  if (typeof cron !== 'string') {
    throw new InvalidScheduleError(
      'cron',
      `is ${describeType(cron)}; it must be a text such as '0 3 * * *'.`,
    );
  }
  if (cron.length <= MAX_EXPRESSION_LENGTH) return cron;
  throw new InvalidScheduleError(
    'cron',
    `has ${cron.length} characters; an expression has at most ${MAX_EXPRESSION_LENGTH}. Split it into several schedules.`,
  );
}

function parse(expression: string): CronPattern {
  try {
    return read(expression);
  } catch (cause) {
    throw new InvalidScheduleError('cron', faultOf(expression, isReadable), { cause });
  }
}

function isReadable(expression: string): boolean {
  try {
    read(expression);
    return true;
  } catch {
    return false;
  }
}

function read(expression: string): CronPattern {
  return new CronPattern(expression, undefined, { mode: '5-or-6-parts' });
}

/*
 * Croner reads the expression, and no more. Its own search is not used:
 * - "30 23 * * *" in America/Nuuk is left out on 2026-03-28, whose clocks go from 23:00 to 00:00 of the next day;
 * - "30 0-4/2 * * *" and "* 30 2 * * *" are intervals for it, clock times for us: their hour and minute have no wildcard;
 * - it takes up to a second to find that "0 0 1W * +0" never comes;
 * - it keeps 80 kB for each expression, of which the years from 0 to 9999 are the most.
 */
function fieldsOf(pattern: CronPattern): CronFields {
  return {
    seconds: setIn(pattern.second),
    minutes: setIn(pattern.minute),
    hours: setIn(pattern.hour),
    months: setIn(pattern.month),
    hasDay: dayRule(pattern),
  };
}

function setIn(field: readonly number[]): number[] {
  return field.flatMap((isSet, value) => (isSet ? [value] : []));
}

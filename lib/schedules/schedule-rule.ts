import { InvalidScheduleError } from '../job/errors.js';
import { isObject } from '../job/option-checks.js';

/** When a schedule makes jobs. Each instant is a tick. */
export type ScheduleRule = CronRule | IntervalRule;

/** At the times of a cron expression, on the clock of a time zone. */
export interface CronRule extends RuleBounds {
  /** Five fields, or six with seconds in front. */
  readonly cron: string;
  /** A name of the IANA database, such as `Europe/Berlin`. */
  readonly timeZone: string;
}

/** At `anchor` + n × `everyMs`, for every whole number n. */
export interface IntervalRule extends RuleBounds {
  /** Milliseconds. */
  readonly everyMs: number;
  readonly anchor: Date;
}

/** Both bounds are inclusive: a tick at exactly `startAt` or `endAt` counts. */
export interface RuleBounds {
  readonly startAt?: Date;
  readonly endAt?: Date;
}

/** A rule as it is stored. Instants are milliseconds since 1970. */
interface StoredRule {
  readonly cron?: string;
  readonly timeZone?: string;
  readonly everyMs?: number;
  readonly anchor?: number;
  readonly startAt?: number;
  readonly endAt?: number;
}

/** @returns JSON; the same rule gives the same text, so that two rules are compared by their texts */
export function encodeRule(rule: ScheduleRule): string {
  const stored: StoredRule = {
    ...('cron' in rule
      ? { cron: rule.cron, timeZone: rule.timeZone }
      : { everyMs: rule.everyMs, anchor: rule.anchor.getTime() }),
    ...(rule.startAt !== undefined && { startAt: rule.startAt.getTime() }),
    ...(rule.endAt !== undefined && { endAt: rule.endAt.getTime() }),
  };
  return JSON.stringify(stored);
}

/**
 * @param json what `encodeRule` has returned
 * @throws InvalidScheduleError if it is something else. The expression and the zone are not checked here: `occurrencesOf`
 * refuses what this process cannot work out
 */
export function decodeRule(json: string): ScheduleRule {
  const { cron, timeZone, everyMs, anchor, startAt, endAt } = parse(json);
  const bounds = {
    ...(startAt !== undefined && { startAt: instant(startAt, json) }),
    ...(endAt !== undefined && { endAt: instant(endAt, json) }),
  };
  if (typeof cron === 'string' && typeof timeZone === 'string')
    return Object.freeze({ cron, timeZone, ...bounds });
  if (typeof everyMs !== 'number') throw unreadable(json);
  return Object.freeze({ everyMs, anchor: instant(anchor, json), ...bounds });
}

function parse(json: string): StoredRule {
  try {
    const value: unknown = JSON.parse(json);
    if (isObject(value)) return value;
  } catch {
    // said below
  }
  throw unreadable(json);
}

function instant(millis: unknown, json: string): Date {
  if (typeof millis !== 'number' || Number.isNaN(new Date(millis).getTime())) throw unreadable(json);
  return new Date(millis);
}

function unreadable(json: string): InvalidScheduleError {
  return new InvalidScheduleError(
    'rule',
    `is stored as ${json.slice(0, 200)}, which is no rule of a schedule. Write the schedule again, or delete it.`,
  );
}

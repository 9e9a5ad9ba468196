import { InvalidScheduleError } from '../job/errors.js';
import { describeType, millisOf } from '../job/names.js';
import { occurrencesOf } from './occurrences.js';
import type { ScheduleOptions } from './schedule-options.js';
import type { RuleBounds, ScheduleRule } from './schedule-rule.js';

const DEFAULT_ZONE = 'UTC';

/** What the options say of a rule. Numbers and dates have been checked. */
export type RuleOptions = Pick<ScheduleOptions, 'timeZone' | 'startAt' | 'endAt'> & {
  readonly cron?: string;
  readonly everyMs?: number;
};

/** The rule of a schedule: one that can be worked out, and has a tick within its bounds. @throws InvalidScheduleError */
export function resolveRule(input: RuleOptions): ScheduleRule {
  const rule = Object.freeze({ ...timesOf(input), ...boundsOf(input) });
  const occurrences = occurrencesOf(rule);
  if (rule.startAt === undefined || rule.endAt === undefined) return rule;
  if (rule.endAt < rule.startAt)
    throw new InvalidScheduleError('endAt', 'is before startAt; exchange the two.');
  if (occurrences.next(new Date(rule.startAt.getTime() - 1)) === null) {
    throw new InvalidScheduleError(
      'endAt',
      'leaves no tick from startAt on; make it later, or correct the rule.',
    );
  }
  return rule;
}

function timesOf({ cron, everyMs, timeZone, startAt }: RuleOptions): ScheduleRule {
  if (cron !== undefined && everyMs !== undefined) {
    throw new InvalidScheduleError('everyMs', 'is given together with cron; give one of them.');
  }
  if (everyMs === undefined) {
    if (typeof cron !== 'string') {
      throw new InvalidScheduleError(
        'cron',
        `is ${describeType(cron)}; it must be a text such as '0 3 * * *', or give everyMs.`,
      );
    }
    return {
      cron: cron.trim().replace(/\s+/g, ' '),
      timeZone: timeZone === undefined ? DEFAULT_ZONE : timeZone,
    };
  }
  if (timeZone !== undefined) {
    throw new InvalidScheduleError(
      'timeZone',
      'is given together with everyMs, for which all zones are the same; leave it out.',
    );
  }
  return { everyMs, anchor: startAt === undefined ? new Date(0) : new Date(millisOf(startAt)) };
}

/* Copies, so that who holds the dates cannot change the rule. */
function boundsOf({ startAt, endAt }: RuleOptions): RuleBounds {
  return {
    ...(startAt !== undefined && { startAt: new Date(millisOf(startAt)) }),
    ...(endAt !== undefined && { endAt: new Date(millisOf(endAt)) }),
  };
}

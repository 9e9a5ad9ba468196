import { isObject } from '../job/option-checks.js';
import { InvalidScheduleError } from '../job/errors.js';
import type { Overlap, StoredSchedule } from '../queue/schedule-store.js';
import { occurrencesOf } from './occurrences.js';
import type { ResolvedSchedule } from './resolve-schedule.js';
import { decodeRule, encodeRule, type ScheduleRule } from './schedule-rule.js';

/** What a schedule says of its jobs, as it is stored: what the rows of all its releases can be compared by. */
export interface ScheduleTerms extends Pick<
  ResolvedSchedule,
  'missed' | 'missedWithinMs' | 'overlap' | 'jitterMs' | 'enabled' | 'priority' | 'maxAttempts' | 'tags'
> {
  readonly rule: ScheduleRule;
  /** The payload is made by code, a function or bytes, and is not stored. */
  readonly isPayloadInCode: boolean;
}

/** A schedule that this process declares in its code. */
export interface DeclaredSchedule {
  readonly schedule: ResolvedSchedule;
  /** Where, for messages: `Reports.nightly in ReportModule`. */
  readonly declaredAt: string;
  /** As it is stored, to be compared with rows. */
  readonly rule: string;
}

interface StoredTerms extends Omit<ScheduleTerms, 'rule'> {
  /** JSON of `encodeRule`. */
  readonly rule: string;
}

/** @returns JSON; the same terms give the same text, so that two of them are compared by their texts */
export function encodeTerms(schedule: ResolvedSchedule): string {
  const { missed, missedWithinMs, overlap, jitterMs, enabled, priority, maxAttempts, tags, payload } =
    schedule;
  const stored: StoredTerms = {
    rule: encodeRule(schedule.rule),
    ...{ missed, missedWithinMs, overlap, jitterMs, enabled, priority, maxAttempts, tags },
    isPayloadInCode: typeof payload === 'function' || payload instanceof Uint8Array,
  };
  return JSON.stringify(stored);
}

/** The terms of a schedule as it is stored. @throws InvalidScheduleError where its row cannot be read */
export function termsOf({
  name,
  rule,
  anchorAt,
}: Pick<StoredSchedule, 'name' | 'rule' | 'anchorAt'>): ScheduleTerms {
  const stored = parse(name, rule);
  return { ...stored, rule: anchored(decodeRule(stored.rule), anchorAt) };
}

/** Whether a schedule ticks at the same instants by other terms. One whose row cannot be read does not. */
export function haveSameTimes(stored: Pick<StoredSchedule, 'name' | 'rule'>, rule: string): boolean {
  try {
    const [mine, other] = [parse(stored.name, stored.rule), parse(stored.name, rule)];
    return mine.rule === other.rule && mine.enabled === other.enabled;
  } catch {
    return false;
  }
}

/** Undefined where its row cannot be read. */
export function overlapOf(stored: Pick<StoredSchedule, 'name' | 'rule'>): Overlap | undefined {
  try {
    return parse(stored.name, stored.rule).overlap;
  } catch {
    return undefined;
  }
}

/** Whether a row says what this process declares. Its payload is another matter. */
export function isAsDeclared({ schedule, rule }: DeclaredSchedule, stored: StoredSchedule): boolean {
  return stored.declaredAt !== null && stored.kind === schedule.kind && sameJson(stored.rule, rule);
}

/** A release has been taken back, or a declaration removed, where no process was seen with it for so long. */
const GONE_AFTER_MS = 5 * 60_000;

/** Whether a process was seen lately that declares a schedule as its row has it. */
export function isSeen({ seenAt }: StoredSchedule, now: Date): boolean {
  return seenAt !== null && now.getTime() - seenAt.getTime() <= GONE_AFTER_MS;
}

/** Whether two texts are the same JSON. A database may have stored characters as escapes. */
export function sameJson(one: string | null, other: string | null): boolean {
  if (one === other) return true;
  if (one === null || other === null) return false;
  try {
    return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
  } catch {
    return false;
  }
}

/**
 * The first tick of a schedule that is written now.
 *
 * @param lastTick none comes again, though the clock of the storage may have been set back
 */
export function firstTick(terms: ScheduleTerms, now: Date, lastTick: Date | null = null): Date | null {
  if (!terms.enabled) return null;
  return occurrencesOf(terms.rule).next(lastTick !== null && lastTick > now ? lastTick : now);
}

/** Intervals without a `startAt` are counted from the instant at which the schedule was first written. */
function anchored(rule: ScheduleRule, anchor: Date): ScheduleRule {
  return 'everyMs' in rule && rule.startAt === undefined ? { ...rule, anchor } : rule;
}

function parse(name: string, text: string): StoredTerms {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && typeof (value as Partial<StoredTerms>).rule === 'string')
      return value as StoredTerms;
  } catch {
    // said below
  }
  throw new InvalidScheduleError(
    `The rule of schedule "${name}"`,
    `is stored as ${text.slice(0, 200)}, which this release cannot read. Write the schedule again, or delete it.`,
  );
}

import { InvalidJobError, InvalidOptionError, InvalidScheduleError } from '../job/errors.js';
import { requireName } from '../job/names.js';
import { isObject } from '../job/option-checks.js';
import { resolveByRules } from '../job/option-rules.js';
import { resolveRule } from './resolve-rule.js';
import {
  SCHEDULE_RULES,
  type AllScheduleOptions,
  type MissedTicks,
  type Overlap,
  type SchedulePayload,
  type ScheduleSpec,
} from './schedule-options.js';
import type { ScheduleRule } from './schedule-rule.js';

/** A schedule whose options have been checked, with the defaults. It is frozen. */
export interface ResolvedSchedule {
  readonly name: string;
  readonly kind: string;
  readonly rule: ScheduleRule;
  readonly missed: MissedTicks;
  readonly missedWithinMs: number;
  readonly overlap: Overlap;
  readonly jitterMs: number;
  readonly enabled: boolean;
  readonly payload: SchedulePayload | undefined;
  readonly priority: number;
  /** Undefined leaves it to the handler. */
  readonly maxAttempts: number | undefined;
  readonly tags: readonly string[];
}

/** The id of a job is the name, `@`, and the tick in 24 characters, and has at most 255. */
const MAX_NAME_LENGTH = 230;

/** What other libraries call them. */
const NAMES_ELSEWHERE = new Map([
  ['tz', 'timeZone'],
  ['pattern', 'cron'],
  ['cronTime', 'cron'],
  ['cronExpression', 'cron'],
  ['expression', 'cron'],
  ['every', 'everyMs'],
  ['interval', 'everyMs'],
  ['startDate', 'startAt'],
  ['endDate', 'endAt'],
  ['stopAt', 'endAt'],
  ['disabled', 'enabled'],
  ['data', 'payload'],
  ['attempts', 'maxAttempts'],
  ['retryLimit', 'maxAttempts'],
  ['jobName', 'kind'],
]);

/**
 * Checks a schedule and fills in the defaults.
 *
 * @param declaredKind the kind of the handler that the schedule is declared on; undefined for a schedule that is made at
 * run time, which must say its kind and can have no function as payload
 * @throws InvalidScheduleError naming the option, what is wrong with it and what it must be
 */
export function resolveSchedule(spec: ScheduleSpec, declaredKind?: string): ResolvedSchedule {
  const options = resolveOptions(spec);
  if (declaredKind === undefined && typeof options.payload === 'function') {
    throw new InvalidScheduleError(
      'payload',
      'is a function, which cannot be stored. Give a value, or declare the schedule in code with @JobSchedule.',
    );
  }
  const kind = nameOf(options.kind ?? declaredKind, 'kind');
  const { missed, missedWithinMs, overlap, jitterMs, enabled, payload, priority, maxAttempts } = options;
  return Object.freeze({
    name: requireScheduleName(options.name ?? kind),
    kind,
    rule: resolveRule(options),
    ...{ missed, missedWithinMs, overlap, jitterMs, enabled, payload, priority, maxAttempts },
    tags: Object.freeze([...options.tags]),
  });
}

/** What a preview needs of a schedule. It may leave out name and kind. @throws InvalidScheduleError */
export function resolvePreview(spec: ScheduleSpec): {
  rule: ScheduleRule;
  name: string | undefined;
  jitterMs: number;
} {
  const options = resolveOptions(spec);
  const name = options.name ?? options.kind;
  return {
    rule: resolveRule(options),
    name: name === undefined ? undefined : requireScheduleName(name),
    jitterMs: options.jitterMs,
  };
}

function resolveOptions(spec: ScheduleSpec) {
  refuseNamesElsewhere(spec);
  try {
    return resolveByRules<AllScheduleOptions, typeof SCHEDULE_RULES>(spec, SCHEDULE_RULES);
  } catch (cause) {
    if (!(cause instanceof InvalidOptionError)) throw cause;
    throw new InvalidScheduleError(cause.option, cause.problem);
  }
}

/** The name of a schedule, trimmed. @throws InvalidScheduleError */
export function requireScheduleName(value: unknown): string {
  const name = nameOf(value, 'name');
  const length = Array.from(name).length;
  if (length <= MAX_NAME_LENGTH) return name;
  throw new InvalidScheduleError(
    'name',
    `has ${length} characters; it must have 1 to ${MAX_NAME_LENGTH}, as it is part of the ids of its jobs.`,
  );
}

function refuseNamesElsewhere(spec: object): void {
  if (!isObject(spec)) return; // refused by the rules
  for (const name of Object.keys(spec)) {
    const ours = NAMES_ELSEWHERE.get(name);
    if (ours !== undefined) throw new InvalidScheduleError(name, `is not known. Did you mean ${ours}?`);
  }
}

/** A name of a job, whose faults are told as those of a schedule. */
function nameOf(value: unknown, path: string): string {
  try {
    return requireName(value, path);
  } catch (cause) {
    if (!(cause instanceof InvalidJobError)) throw cause;
    throw new InvalidScheduleError(path, cause.problem);
  }
}

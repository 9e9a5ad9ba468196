import { InvalidScheduleError } from '../job/errors.js';
import { describeNumber, describeType, requireName } from '../job/names.js';
import type { CatchUp, ScheduleFilter } from '../queue/schedule-store.js';
import type { MissedTicks } from '../schedules/schedule-options.js';
import type { EnqueueManyOptions } from './write-target.js';

export interface PauseScheduleOptions extends EnqueueManyOptions {
  /** For those who look at it later. At most 1,000 characters. */
  readonly reason?: string;
}

export interface ResumeScheduleOptions extends EnqueueManyOptions {
  /** What becomes of the ticks during the pause: none is run, the last one, or all, at most 1,000. Default `'skip'`. */
  readonly missed?: MissedTicks;
}

export interface TriggerOptions extends EnqueueManyOptions {
  /** Instead of that of the schedule. */
  readonly payload?: unknown;
}

export interface ListSchedulesOptions {
  /** Only those whose jobs are of this kind. */
  readonly kind?: string;
  /** Only those whose names come after this one: the last name of the page before. */
  readonly after?: string;
  /** 1 to 500. Default 100. */
  readonly limit?: number;
}

const MAX_LIMIT = 500;

/** @throws InvalidScheduleError */
export function requireListOptions({ kind, after, limit = 100 }: ListSchedulesOptions): ScheduleFilter {
  if (!isWholeNumber(limit, 1, MAX_LIMIT))
    throw new InvalidScheduleError(
      'limit',
      `is ${describeNumber(limit)}; it must be a whole number from 1 to ${MAX_LIMIT}.`,
    );
  return {
    ...(kind !== undefined && { kind: requireName(kind, 'kind') }),
    ...(after !== undefined && { after: requireName(after, 'after') }),
    limit,
  };
}

/** @returns null for 'skip' @throws InvalidScheduleError */
export function requireMissed(missed: unknown): CatchUp | null {
  if (missed === 'skip') return null;
  if (missed === 'last' || missed === 'all') return missed;
  const given = typeof missed === 'string' ? JSON.stringify(missed) : describeType(missed);
  throw new InvalidScheduleError('missed', `is ${given}; it must be 'skip' or 'last' or 'all'.`);
}

/** @throws InvalidScheduleError where the spec has another name */
export function requireOwnName(name: string, spec: object): string {
  const { name: other } = spec as { readonly name?: unknown };
  if (other === undefined || other === name) return name;
  throw new InvalidScheduleError('name', 'is given twice, and differs; leave it out of the second argument.');
}

export function isWholeNumber(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

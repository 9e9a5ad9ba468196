import { InvalidJobError } from '../job/errors.js';
import { describeNumber, describeType } from '../job/names.js';
import { isObject } from '../job/option-checks.js';
import { isDelay, MAX_DELAY_MS } from '../job/retry.js';
import type { JobFilter } from './find-arguments.js';
import type { EnqueueManyOptions } from './write-target.js';

/** Which jobs a call changes: at least one condition, or `{ all: true }`. */
export interface BulkFilter extends JobFilter {
  /** All jobs. Only without conditions. */
  readonly all?: true;
}

export interface BulkOptions extends EnqueueManyOptions {
  /** Counts the jobs, and changes none. Default false. */
  readonly dryRun?: boolean;
  /** Ends the call between two batches: it rejects with the reason of the signal, and what is done stays done. */
  readonly signal?: AbortSignal;
}

export interface CancelManyOptions extends BulkOptions {
  /** Kept with each job, as by `cancel`. */
  readonly reason?: string;
}

export interface RetryManyOptions extends BulkOptions {
  /** Spreads the starts of the jobs evenly over so many milliseconds from now on. Default 0: all are ready at once. */
  readonly spreadMs?: number;
}

export interface BulkAnswer {
  /** How many jobs the call was about: those that fit the filter, and can be changed in this way. */
  readonly matched: number;
  /** How many it has changed. Others were changed by something else meanwhile. */
  readonly changed: number;
  /** How many it has not retried because another job has their unique key. */
  readonly conflicts: number;
}

/** @returns the conditions alone @throws InvalidJobError where there are none */
export function requireBulkFilter(filter: unknown): JobFilter {
  if (!isObject(filter))
    throw new InvalidJobError('filter', `is ${describeType(filter)}; it must be an object.`);
  const { all, ...conditions }: { readonly all?: unknown } & JobFilter = filter;
  const isEmpty = Object.values<unknown>(conditions).every((value) => value === undefined);
  if (all !== undefined && all !== true)
    throw new InvalidJobError('filter.all', `is ${describeType(all)}; it must be true, or left out.`);
  if (all === true && !isEmpty)
    throw new InvalidJobError('filter.all', 'is given together with conditions; give one of them.');
  if (all !== true && isEmpty)
    throw new InvalidJobError('filter', 'is empty; give at least one condition, or { all: true }.');
  return conditions;
}

/** @throws InvalidJobError */
export function requireBulkOptions({ dryRun = false, signal }: BulkOptions): {
  readonly isDryRun: boolean;
  readonly signal: AbortSignal | undefined;
} {
  if (typeof dryRun !== 'boolean')
    throw new InvalidJobError('dryRun', `is ${describeType(dryRun)}; it must be true or false.`);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidJobError('signal', `is ${describeType(signal)}; it must be an AbortSignal.`);
  return { isDryRun: dryRun, signal };
}

/** @throws InvalidJobError */
export function requireSpread(spreadMs = 0): number {
  if (isDelay(spreadMs)) return spreadMs;
  throw new InvalidJobError(
    'spreadMs',
    `is ${describeNumber(spreadMs)}; it must be milliseconds from 0 to ${MAX_DELAY_MS}.`,
  );
}

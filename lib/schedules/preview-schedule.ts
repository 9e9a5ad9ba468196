import { InvalidScheduleError } from '../job/errors.js';
import { describeNumber, describeType } from '../job/names.js';
import { isInstant } from './instants.js';
import { jitterOf } from './jitter.js';
import { occurrencesOf } from './occurrences.js';
import { resolvePreview } from './resolve-schedule.js';
import type { ScheduleSpec } from './schedule-options.js';

const DEFAULT_COUNT = 10;
const MAX_COUNT = 1000;

export interface PreviewOptions {
  /** The first tick is at or after it. Default: now, by the clock of this process. */
  readonly from?: Date;
  /** How many instants: 1 to 1,000. Default 10. */
  readonly count?: number;
}

/**
 * When the jobs of a schedule would be run. It works without a database and without a module, for a form where somebody
 * types a rule, and for a test of one.
 *
 * A spec with `jitterMs` and `name` gives the instants with the jitter, in the order of their ticks. `enabled` does not
 * matter, and `kind` may be left out.
 *
 * @returns fewer than `count` where `endAt` comes first
 * @throws InvalidScheduleError naming what is wrong with the spec, `from` or `count`
 */
export function previewSchedule(
  spec: ScheduleSpec,
  { from, count = DEFAULT_COUNT }: PreviewOptions = {},
): Date[] {
  const { rule, name, jitterMs } = resolvePreview(spec);
  requireCount(count);
  const occurrences = occurrencesOf(rule);
  const instants: Date[] = [];
  let tick = occurrences.next(new Date(startOf(from) - 1));
  while (tick !== null && instants.length < count) {
    instants.push(name === undefined ? tick : new Date(tick.getTime() + jitterOf(name, tick, jitterMs)));
    tick = occurrences.next(tick);
  }
  return instants;
}

function startOf(from: unknown): number {
  if (from === undefined) return Date.now();
  if (isInstant(from)) return from.getTime();
  throw new InvalidScheduleError('from', `is ${describeType(from)}; it must be a Date from year 1 to 9999.`);
}

function requireCount(count: unknown): void {
  if (Number.isInteger(count) && (count as number) >= 1 && (count as number) <= MAX_COUNT) return;
  throw new InvalidScheduleError(
    'count',
    `is ${describeNumber(count)}; it must be a whole number from 1 to ${MAX_COUNT}.`,
  );
}

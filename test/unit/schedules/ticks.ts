import { occurrencesOf } from '../../../lib/schedules/occurrences.js';
import type { ScheduleRule } from '../../../lib/schedules/schedule-rule.js';

/** The first `count` ticks after an instant, as texts. */
export function ticksAfter(rule: ScheduleRule, after: string, count: number): string[] {
  const occurrences = occurrencesOf(rule);
  const found: string[] = [];
  let tick = occurrences.next(new Date(after));
  while (tick !== null && found.length < count) {
    found.push(textOf(tick));
    tick = occurrences.next(tick);
  }
  return found;
}

/** The last `count` ticks before an instant, ascending, as texts. */
export function ticksBefore(rule: ScheduleRule, before: string, count: number): string[] {
  const occurrences = occurrencesOf(rule);
  const found: string[] = [];
  let tick = occurrences.previous(new Date(before));
  while (tick !== null && found.length < count) {
    found.unshift(textOf(tick));
    tick = occurrences.previous(tick);
  }
  return found;
}

/** Without milliseconds, where they are 0. */
export function textOf(instant: Date): string {
  return instant.toISOString().replace('.000', '');
}

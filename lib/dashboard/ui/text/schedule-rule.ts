import type { ScheduleRow } from '../../api/screens.js';
import { cronWords } from './cron-words.js';
import { count } from './numbers.js';
import { duration } from './times.js';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** When a schedule ticks, in words. */
export function ruleWords({ cron, everyMs }: Pick<ScheduleRow, 'cron' | 'everyMs'>): string {
  if (cron !== null) return cronWords(cron) ?? cron;
  return everyMs === null ? 'Has no rule' : intervalWords(everyMs);
}

/** `Every hour`, `Every 90 seconds`. */
function intervalWords(everyMs: number): string {
  const unit = UNITS.find(([, size]) => everyMs % size === 0);
  if (unit === undefined) return `Every ${duration(everyMs)}`;
  const [name, size] = unit;
  return everyMs === size ? `Every ${name}` : `Every ${count(everyMs / size)} ${name}s`;
}

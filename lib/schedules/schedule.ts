import type { StoredSchedule } from '../queue/schedule-store.js';
import type { ScheduleOptions } from './schedule-options.js';
import { termsOf, type ScheduleTerms } from './schedule-terms.js';
import { storedPayloadOf } from './tick-jobs.js';

/** A schedule as it stands. */
export interface Schedule extends Readonly<
  Required<
    Pick<
      ScheduleOptions,
      'name' | 'kind' | 'missed' | 'missedWithinMs' | 'overlap' | 'jitterMs' | 'enabled' | 'priority'
    >
  >
> {
  /** The expression and its zone, or else `everyMs`. */
  readonly cron?: string;
  readonly timeZone?: string;
  readonly everyMs?: number;
  readonly startAt?: Date;
  readonly endAt?: Date;
  readonly maxAttempts?: number;
  readonly tags: readonly string[];
  /** Undefined where there is none, and where code makes it. */
  readonly payload?: unknown;
  /** By `@JobSchedule`; the others were made at run time. */
  readonly declared: boolean;
  /** The next tick. Null where there is none, as of a schedule that is over or not enabled. */
  readonly nextAt: Date | null;
  /** The tick that waits for the last job to end, with `overlap: 'queue'`. */
  readonly queuedTick?: Date;
  /** The newest tick that is over, whether or not it has made a job. */
  readonly lastTick?: Date;
  /** The job that was made last, by a tick or by hand. It may have been deleted. */
  readonly lastJobId?: string;
  /** How many ticks made no job because the last one had not ended. */
  readonly skipped: number;
  readonly paused: boolean;
  readonly pausedAt?: Date;
  readonly pausedReason?: string;
  /** Its next tick came more than a minute ago, and no worker has fired it. */
  readonly overdue: boolean;
  readonly createdAt: Date;
  /** When it was last written, fired, paused or resumed. */
  readonly updatedAt: Date;
  /**
   * Why its row cannot be read, as one that was written by hand. Then its times are left out, it shows as not enabled, and it
   * makes no jobs. `upsert` mends it.
   */
  readonly unreadable?: string;
}

export const OVERDUE_AFTER_MS = 60_000;

/** @param now by the clock of the storage */
export function scheduleOf(stored: StoredSchedule, now: Date): Schedule {
  const { terms, payload, unreadable } = readRow(stored);
  const { name, kind, nextAt, skipped, createdAt, updatedAt, declaredAt, pausedAt } = stored;
  const { missed, missedWithinMs, overlap, jitterMs, enabled, priority, maxAttempts, tags } = terms;
  return {
    name,
    kind,
    ...('rule' in terms && timesOf(terms)),
    ...{ missed, missedWithinMs, overlap, jitterMs, enabled, priority, tags },
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(payload !== undefined && { payload }),
    declared: declaredAt !== null,
    nextAt,
    ...historyOf(stored),
    skipped,
    paused: pausedAt !== null,
    overdue: pausedAt === null && nextAt !== null && now.getTime() - nextAt.getTime() > OVERDUE_AFTER_MS,
    createdAt,
    updatedAt,
    ...(unreadable !== undefined && { unreadable }),
  };
}

/** What is shown in the place of terms that cannot be read. */
const NO_TERMS = {
  ...({ missed: 'skip', overlap: 'skip' } as const),
  ...{ missedWithinMs: 0, jitterMs: 0, enabled: false, priority: 0 },
  maxAttempts: undefined,
  tags: [],
};

/** One row that somebody has written by hand must not hide the others of its page. */
function readRow(stored: StoredSchedule): {
  readonly terms: ScheduleTerms | typeof NO_TERMS;
  readonly payload?: unknown;
  readonly unreadable?: string;
} {
  try {
    return { terms: termsOf(stored), payload: storedPayloadOf(stored) };
  } catch (error) {
    return { terms: NO_TERMS, unreadable: (error as Error).message };
  }
}

function timesOf({
  rule,
}: ScheduleTerms): Pick<Schedule, 'cron' | 'timeZone' | 'everyMs' | 'startAt' | 'endAt'> {
  const { startAt, endAt } = rule;
  return {
    ...('cron' in rule ? { cron: rule.cron, timeZone: rule.timeZone } : { everyMs: rule.everyMs }),
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
  };
}

function historyOf({ queuedTick, lastTick, lastJobId, pausedAt, pausedReason }: StoredSchedule) {
  return {
    ...(queuedTick !== null && { queuedTick }),
    ...(lastTick !== null && { lastTick }),
    ...(lastJobId !== null && { lastJobId }),
    ...(pausedAt !== null && { pausedAt }),
    ...(pausedReason !== null && { pausedReason }),
  };
}

import { MAX_INT } from '../job/encode-job.js';
import { allow, oneOf, trueOrFalse, wholeNumber, type OptionCheck } from '../job/option-checks.js';
import type { OptionRules } from '../job/option-rules.js';
import { MAX_DELAY_MS } from '../job/retry.js';
import { areTags, MAX_TAG_LENGTH, MAX_TAGS } from '../job/tags.js';
import type { Overlap } from '../queue/schedule-store.js';
import { isInstant } from './instants.js';

/** What becomes of ticks that passed while no worker ran. */
export type MissedTicks = 'skip' | 'last' | 'all';

export type { Overlap };

/** Any JSON value or a `Uint8Array`, or a function that makes one for a tick. */
export type SchedulePayload = object | string | number | boolean | null | ((tick: Date) => unknown);

/** What may be said of a schedule, beside its rule. */
export interface ScheduleOptions {
  /** Unique in the table of jobs. 1 to 230 characters. Default: the kind. */
  readonly name?: string;
  /** Of the jobs that it makes. Default: the kind of the decorated handler. */
  readonly kind?: string;
  /** On whose clock a cron expression is read: a name of the IANA database. Default `'UTC'`, never the zone of the process. */
  readonly timeZone?: string;
  /**
   * What becomes of ticks that passed while no worker ran: none is run, the last of them, or all, of which there are at
   * most 1,000 and each has its `tick`. Default `'last'`.
   */
  readonly missed?: MissedTicks;
  /** Ticks that are older are skipped, whatever `missed` says. Milliseconds. Default: an hour. */
  readonly missedWithinMs?: number;
  /**
   * What becomes of a tick while the last job of this schedule has not ended: it is skipped, a second job runs beside it,
   * one more waits behind it, or the running one is cancelled. Default `'skip'`.
   */
  readonly overlap?: Overlap;
  /**
   * A job is run up to this much later than its tick, by a hash of name and tick: the same in each process and in
   * `previewSchedule`. Milliseconds, up to 2,147,483,647. Default 0.
   */
  readonly jitterMs?: number;
  /** No tick is before it. With `everyMs` it is the first tick as well. */
  readonly startAt?: Date;
  /** No tick is after it. */
  readonly endAt?: Date;
  /** False: it makes no jobs. Default true. */
  readonly enabled?: boolean;
  /** What its jobs get. A function is called for each tick; only a schedule that is declared in code can have one. */
  readonly payload?: SchedulePayload;
  /** Of its jobs. Lower runs first. Default 0. */
  readonly priority?: number;
  /** Of its jobs. Default: what the handler says. */
  readonly maxAttempts?: number;
  /** Of its jobs: at most 10, of 1 to 100 characters each. Default none. */
  readonly tags?: readonly string[];
}

/** A schedule, as `JobSchedules.upsert` and `previewSchedule` take it. */
export type ScheduleSpec = ScheduleOptions & ScheduleTimes;

/** When it ticks: by a cron expression, or every so many milliseconds. */
export type ScheduleTimes = CronTimes | IntervalTimes;

export interface CronTimes {
  /** Minute, hour, day of month, month and day of week; seconds may stand before them. Or `@hourly`, `@daily` and so on. */
  readonly cron: string;
  readonly everyMs?: undefined;
}

export interface IntervalTimes {
  /**
   * Milliseconds between two ticks, from 1,000. They are counted from `startAt`, or else from the instant at which the
   * schedule was first written, by the clock of the database: the same instants in each process, and after each
   * deployment. `previewSchedule`, which knows no database, then counts from the start of 1970 in UTC.
   */
  readonly everyMs: number;
  readonly cron?: undefined;
  readonly timeZone?: undefined;
}

/** Cron expressions go no further either, and each tick is a transaction. */
const MIN_EVERY_MS = 1000;

const anything: OptionCheck = () => undefined; // checked by `resolveSchedule`, which can say more
const aDate = allow('a Date from year 1 to 9999', isInstant);
const tagList = allow(
  `a list of at most ${MAX_TAGS} different texts of 1 to ${MAX_TAG_LENGTH} characters`,
  areTags,
);

/** All options, whichever go together. */
export type AllScheduleOptions = ScheduleOptions & { readonly cron?: string; readonly everyMs?: number };

/** The rules of the options of a schedule. */
export const SCHEDULE_RULES = {
  name: { check: anything },
  kind: { check: anything },
  cron: { check: anything },
  everyMs: { check: wholeNumber(MIN_EVERY_MS, MAX_DELAY_MS) },
  timeZone: { check: anything },
  missed: { default: 'last', check: oneOf('skip', 'last', 'all') },
  missedWithinMs: { default: 3_600_000, check: wholeNumber(0, MAX_DELAY_MS) },
  overlap: { default: 'skip', check: oneOf('skip', 'allow', 'queue', 'cancel') },
  jitterMs: { default: 0, check: wholeNumber(0, MAX_INT) },
  startAt: { check: aDate },
  endAt: { check: aDate },
  enabled: { default: true, check: trueOrFalse },
  payload: { check: anything },
  priority: { default: 0, check: wholeNumber(-MAX_INT - 1, MAX_INT) },
  maxAttempts: { check: wholeNumber(1, MAX_INT) },
  tags: { default: [], check: tagList },
} satisfies OptionRules<AllScheduleOptions>;

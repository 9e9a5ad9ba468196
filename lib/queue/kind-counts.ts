import type { BucketCounts } from '../job/histogram.js';

/** What a worker has counted of a kind in some time. What is absent is 0. */
export interface KindCounts {
  readonly claimed?: number;
  readonly done?: number;
  readonly failed?: number;
  readonly panicked?: number;
  readonly retried?: number;
  readonly cancelled?: number;
  /** Between the moment at which jobs were ready and that of their claim. */
  readonly wait?: BucketCounts;
  /** How long handlers took. */
  readonly run?: BucketCounts;
}

/** The counts that are added up over hours and workers. */
export const COUNTERS_SUMMED = ['done', 'failed', 'panicked', 'retried', 'cancelled'] as const;

/** The same as it is stored. */
export interface StoredCounts {
  readonly kind: string;
  /** How many minutes these are the counts of: 1 or 60. */
  readonly span: number;
  /** When that time began, in milliseconds since 1970. */
  readonly minute: number;
  /** JSON of `KindCounts`. */
  readonly counts: string;
}

/** What has been counted lately. */
export interface CountsLook {
  /** The storage's clock, in milliseconds since 1970. */
  readonly now: number;
  /** Of the last `MINUTES_COUNTED` minutes and the one before, at most `COUNTS_READ`. */
  readonly minutes: readonly StoredCounts[];
  /** By kind, how many jobs have failed or panicked in the last 24 hours, to the hour. Also those of which none has. */
  readonly failedInDay: ReadonlyMap<string, number>;
}

/** What all workers have counted of a kind in a minute or an hour. */
export interface KindHistory extends Readonly<Record<(typeof COUNTERS_SUMMED)[number], number>> {
  readonly kind: string;
  /** How many minutes these are the counts of: 1 or 60. */
  readonly span: number;
  /** When that time began, in milliseconds since 1970. */
  readonly minute: number;
}

/** What has been counted in the last hour and the last day. */
export interface HistoryLook {
  /** The storage's clock, in milliseconds since 1970. */
  readonly now: number;
  /** Of the last hour by minutes, and of the last 24 by hours: at most `COUNTS_READ` of each, in any order. */
  readonly counts: readonly KindHistory[];
}

/** A kind of which jobs could start now. */
export interface DueKind {
  readonly kind: string;
  /**
   * For how long the oldest of its jobs that no worker has marked due could have started, in milliseconds; null where there
   * is none. Of all kinds together the first `DUE_COUNTED` of those jobs are looked at.
   */
  readonly overdueMs: number | null;
}

/** What waits of a kind. */
export interface KindBacklog {
  readonly kind: string;
  /** At most `BACKLOG_COUNTED`. */
  readonly ready: number;
  /** Since when the oldest of those has been ready, in milliseconds; null where there is none. */
  readonly oldestReadyMs: number | null;
  /** Among the first `BACKLOG_COUNTED` scheduled jobs of all kinds. */
  readonly scheduled: number;
}

export const MINUTES_COUNTED = 5;
export const COUNTS_READ = 20_000;
/** How many kinds of which jobs could start one call names. */
export const DUE_KINDS_LISTED = 1_000;
/** How many jobs that no worker has marked due it looks at. */
export const DUE_COUNTED = 1_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * 3_600_000;
export const BACKLOG_COUNTED = 1_000;
/** Counts of minutes are kept for so long. */
export const KEEP_MINUTES_MS = 3_600_000;
/** Counts of hours are. */
export const KEEP_HOURS_MS = 25 * 3_600_000;
/** A worker that was last heard of longer ago is taken out of the register, as is a pause that has ended. */
export const KEEP_WORKERS_MS = 3_600_000;
/** How many rows of a table one sweep deletes. */
export const REGISTER_SWEPT = 1_000;

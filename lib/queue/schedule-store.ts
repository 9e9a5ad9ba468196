import type { EncodedJob } from '../job/encode-job.js';
import type { Job } from '../job/job.js';
import type { CancelledJob } from './job-editor.js';
import type { EnqueueTarget } from './transactions.js';

/** A schedule as it is stored. Its rule and its payload are JSON that the storage does not look into. */
export interface StoredSchedule {
  readonly name: string;
  /** Of the jobs that it makes. */
  readonly kind: string;
  /** When it ticks, and what becomes of ticks that were missed or that meet a job of the one before. */
  readonly rule: string;
  readonly payload: string | null;
  /** What its intervals count from. */
  readonly anchorAt: Date;
  /** The next tick; null where there is none. */
  readonly nextAt: Date | null;
  /** A tick that waits for the last job to end. */
  readonly queuedTick: Date | null;
  /** The newest tick that is over, whatever became of it. */
  readonly lastTick: Date | null;
  readonly lastJobId: string | null;
  /** How many ticks made no job because the last one had not ended. */
  readonly skipped: number;
  /** How many of those came since the last job. */
  readonly skippedInRow: number;
  /** What a resume said of the ticks during the pause, until the next fire; null leaves it to the rule. */
  readonly catchUp: CatchUp | null;
  readonly pausedAt: Date | null;
  readonly pausedReason: string | null;
  /** When the process began that had the last word on it in code. Null: it was made at run time. */
  readonly declaredAt: Date | null;
  /** That process. */
  readonly declaredBy: string | null;
  /** When a process that declares it was last heard of. */
  readonly seenAt: Date | null;
  /** Rises when the schedule is written, and not when it fires. */
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type CatchUp = 'last' | 'all';

/** A process that declares schedules in code. */
export interface DeclaringProcess {
  readonly declaredBy: string;
  /** When it began, by the clock of the storage. */
  readonly declaredAt: Date;
}

/** What becomes of a tick where the last job of the schedule has not ended. */
export type Overlap = 'skip' | 'allow' | 'queue' | 'cancel';

/** A schedule as it is to be stored. What it has done so far, and whether it is paused, stays as it is. */
export interface ScheduleWrite extends Pick<
  StoredSchedule,
  'name' | 'kind' | 'rule' | 'payload' | 'anchorAt' | 'nextAt' | 'declaredAt' | 'declaredBy'
> {
  /** The revision that the caller has seen; null where it has seen no such schedule. */
  readonly revision: number | null;
}

/** Ends a pause. */
export interface Resumption extends Pick<StoredSchedule, 'name' | 'revision' | 'nextAt' | 'catchUp'> {
  /** Forget the tick that waits for the last job to end. */
  readonly dropsQueued: boolean;
}

/** What a listing wants: in ascending order of name, by Unicode code points. */
export interface ScheduleFilter {
  readonly kind?: string;
  /** Only names after this one. */
  readonly after?: string;
  readonly limit: number;
}

/** A schedule that is due, or the one that is due next. */
export interface UpcomingSchedule {
  readonly schedule: StoredSchedule;
  /** How long until its next tick by the clock of the storage; 0 or less where it is due. */
  readonly msUntil: number;
  /** Its queued tick waits for nothing any more. */
  readonly isQueueFree: boolean;
}

export interface UpcomingQuery {
  /** The schedules that this process declares. Others that are declared in code are passed over. */
  readonly declared: readonly string[];
  /** Not these. */
  readonly except: readonly string[];
  readonly limit: number;
}

/** The job of one tick. Its id is `<name>@<tick>`. */
export interface TickJob {
  readonly tick: Date;
  readonly job: EncodedJob;
}

/** What is to become of the next tick of a schedule, or of its queued one. */
export interface ScheduleFire {
  readonly name: string;
  /** The revision that the caller has seen. */
  readonly revision: number;
  /** The `nextAt`, or the `queuedTick`, that the caller has seen. */
  readonly at: Date;
  readonly isQueued: boolean;
  /** The tick after all that are dealt with here; null where there is none. Counts for nothing where `isQueued`. */
  readonly followingAt: Date | null;
  /** The newest tick that is dealt with here. */
  readonly lastTick: Date;
  readonly overlap: Overlap;
  /** In the order of their ticks; none where all ticks are passed over. */
  readonly jobs: readonly TickJob[];
}

/**
 * What became of a fire:
 * - `made`: its jobs are there
 * - `skipped`: they are not, because the last job has not ended
 * - `queued`: the first of them is made when the last job has ended
 * - `passed`: there was none to make, or all of them had been made before
 * - `lost`: the schedule is not as the caller has seen it, is paused or not due, or another caller is at it
 * - `busy`: the row of a job that is to be cancelled is locked; nothing was changed, try again
 */
export type FireOutcome = 'made' | 'skipped' | 'queued' | 'passed' | 'lost' | 'busy';

export interface FireAnswer {
  readonly outcome: FireOutcome;
  /** Those that were made. */
  readonly jobs: readonly Job[];
  /** How many ticks in a row have been skipped now, this one included. */
  readonly skippedInRow: number;
  /** The job that had not ended, where it is to be cancelled. */
  readonly cancelled: CancelledJob | null;
}

/** The clock of the storage, and schedules as they are at that time. */
export interface SchedulesLook {
  readonly now: Date;
  readonly schedules: readonly StoredSchedule[];
}

/**
 * The contract over the storage of schedules. Every implementation passes test/contract/schedules.contract.ts.
 *
 * - One clock decides what is due: the storage's. No method takes an instant of the caller's clock for that.
 * - A schedule is due when its `nextAt` has come and it is not paused.
 * - Writing methods take a target, as an enqueue does: with a `manager` they belong to its transaction.
 */
export abstract class ScheduleStore {
  /** The schedules of these names, those that exist, and the clock. */
  abstract look(names: readonly string[], target?: EnqueueTarget): Promise<SchedulesLook>;

  abstract list(filter: ScheduleFilter): Promise<StoredSchedule[]>;

  /**
   * Writes a schedule and raises its revision. Counts, last tick, last job and pause stay as they are.
   *
   * @returns false where its revision is another one than the caller has seen; nothing was changed
   */
  abstract save(write: ScheduleWrite, target?: EnqueueTarget): Promise<boolean>;

  /** Keeps a schedule from firing. The reason of a later call replaces that of an earlier one. @returns whether it exists */
  abstract pause(name: string, reason: string | null, target?: EnqueueTarget): Promise<boolean>;

  /** @returns false where it is not paused, or its revision is another one than the caller has seen */
  abstract resume(resumption: Resumption, target?: EnqueueTarget): Promise<boolean>;

  /** Deletes a schedule, and none of its jobs. @returns whether it existed */
  abstract delete(name: string, target?: EnqueueTarget): Promise<boolean>;

  /** Makes this the last job of a schedule. */
  abstract setLastJob(name: string, jobId: string, target?: EnqueueTarget): Promise<void>;

  /** Which of these jobs exist. */
  abstract existing(jobIds: readonly string[], target?: EnqueueTarget): Promise<string[]>;

  /**
   * At most `limit` schedules in the order of their next ticks, those that are due first; and at most as many whose queued
   * tick can be fired. Paused ones, and those without a next tick, are left out.
   */
  abstract upcoming(query: UpcomingQuery): Promise<UpcomingSchedule[]>;

  /**
   * Fires schedules, each in one step with its jobs: of any number of callers that fire the same tick, in any processes,
   * one makes its jobs. What a schedule has made before is not made again, whatever its `nextAt` says: jobs whose ids
   * exist, and ticks up to its `lastTick`, are passed over. Waits for no lock.
   *
   * It rejects where the storage refuses one of the jobs, and then may have fired none: fire them one by one.
   *
   * @returns answers in the order given
   */
  abstract fire(fires: readonly ScheduleFire[]): Promise<FireAnswer[]>;

  /**
   * Tells that a process declares these schedules as they are stored. It has the last word on them where it began after the
   * one that had it.
   *
   * @returns those that exist
   */
  abstract seen(names: readonly string[], by: DeclaringProcess): Promise<string[]>;

  /** Deletes schedules that are declared in code and that no process has been seen to declare for so long. @returns their names */
  abstract expire(ms: number): Promise<string[]>;

  /**
   * Calls the listener when schedules may have been written, by this process or another one. This is a hint, and may be
   * missed. @returns a function that ends it
   */
  abstract watch(listener: () => void): () => void;
}

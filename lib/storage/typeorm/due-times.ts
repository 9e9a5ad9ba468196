import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import { delayAfter } from '../../job/outcome.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { LeaseAnswer } from '../../queue/lease.js';

/** In how many milliseconds the first job of each kind is due. */
export type DueTimes = ReadonlyMap<string | null, number>;

const NONE: DueTimes = new Map();

/** What has been enqueued, as who hears of it needs to know it. */
export interface Enqueued {
  /** Those that are ready. */
  readonly ready: readonly EncodedJob[];
  readonly scheduled: DueTimes;
}

/**
 * Tells ready jobs from scheduled ones. The database's clock has the word: it gave `createdAt`, and `runAt` where the job
 * was to be delayed.
 *
 * @param isJoined whether they were written in a transaction of the caller's. On PostgreSQL `createdAt` is then the beginning
 * of that transaction, and the time that is left would be too long. The clock of this process is asked as well, and the
 * shorter time counts: a claim that comes too early finds out about the right one.
 * @param agoMs how long ago they were written
 */
export function enqueued(
  jobs: readonly EncodedJob[],
  stored: readonly Job[],
  isJoined: boolean,
  agoMs: number,
): Enqueued {
  if (!jobs.some(isForLater)) return { ready: jobs, scheduled: NONE };
  const ready: EncodedJob[] = [];
  const scheduled = new Map<string, number>();
  for (const [index, job] of jobs.entries()) {
    const inMs = isForLater(job) ? dueInMs(job, stored[index]!, isJoined) - agoMs : 0;
    if (inMs <= 0) ready.push(job);
    else addTo(scheduled, job.kind, inMs);
  }
  return { ready, scheduled };
}

/** When the jobs are due that have just been settled and run again. */
export function retriesAmong(settlements: readonly Settlement[], answers: readonly LeaseAnswer[]): DueTimes {
  if (settlements.every(({ outcome }) => delayAfter(outcome) === null)) return NONE;
  const scheduled = new Map<string | null, number>();
  for (const [index, { outcome, kind = null }] of settlements.entries()) {
    const delayMs = delayAfter(outcome);
    if (delayMs !== null && answers[index] === 'written') addTo(scheduled, kind, delayMs);
  }
  return scheduled;
}

function isForLater({ runAtMs, delayMs }: EncodedJob): boolean {
  return runAtMs !== null || delayMs > 0;
}

function dueInMs({ runAtMs, delayMs }: EncodedJob, { createdAt }: Job, isJoined: boolean): number {
  if (runAtMs === null) return delayMs;
  const inMs = runAtMs - createdAt.getTime();
  return isJoined ? Math.min(inMs, runAtMs - Date.now()) : inMs;
}

function addTo<Kind>(dueTimes: Map<Kind, number>, kind: Kind, inMs: number): void {
  dueTimes.set(kind, Math.min(inMs, dueTimes.get(kind) ?? Infinity));
}

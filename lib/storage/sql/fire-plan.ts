import type { CancelledJob } from '../../queue/job-editor.js';
import type {
  FireAnswer,
  FireOutcome,
  ScheduleFire,
  StoredSchedule,
  TickJob,
} from '../../queue/schedule-store.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';

/*
 * What becomes of a fire, once the row of its schedule is locked: the same on each database and in memory.
 */

/** A schedule whose row is locked. */
export interface LockedSchedule extends StoredSchedule {
  /** Whether its next tick has come. */
  readonly isDue: boolean;
}

/** A job as far as a fire has to know it. */
export interface SeenJob {
  readonly id: string;
  /** It has not ended. */
  readonly isOpen: boolean;
}

/** What a fire writes into the row of its schedule. */
export type ScheduleChange = Pick<
  StoredSchedule,
  'name' | 'nextAt' | 'queuedTick' | 'lastTick' | 'lastJobId' | 'skipped' | 'skippedInRow' | 'catchUp'
>;

export interface FirePlan {
  readonly outcome: FireOutcome;
  /** Null where nothing is to be written. */
  readonly change: ScheduleChange | null;
  /** Those to insert. */
  readonly jobs: readonly TickJob[];
  /** The job to cancel before. */
  readonly cancelId: string | null;
  readonly skippedInRow: number;
}

/** The jobs that the plans depend on: the last ones of the schedules, and those that are to be made. */
export function jobIdsFor(fires: readonly ScheduleFire[], locked: readonly LockedSchedule[]): string[] {
  const last = locked.flatMap(({ lastJobId }) => lastJobId ?? []);
  return [...new Set([...last, ...fires.flatMap(({ jobs }) => jobs.map(({ job }) => job.id))])];
}

/** @param locked of the schedules that are fired, those whose rows could be locked */
export function planFires(
  fires: readonly ScheduleFire[],
  locked: readonly LockedSchedule[],
  seen: readonly SeenJob[],
): FirePlan[] {
  const rows = new Map(locked.map((row) => [row.name, row]));
  const jobs = new Map(seen.map((job) => [job.id, job]));
  return fires.map((fire) => {
    const row = rows.get(fire.name);
    if (row === undefined || !isAsSeen(fire, row)) return LOST;
    rows.delete(fire.name); // a second fire of it has not seen what this one writes
    return fire.isQueued ? planQueued(fire, row, jobs) : planTick(fire, row, jobs);
  });
}

/** The plans, when it is known which jobs could be cancelled. */
export function afterCancel(plans: readonly FirePlan[], cancelled: readonly CancelledJob[]): FirePlan[] {
  const ids = new Set(cancelled.map(({ id }) => id));
  return plans.map((plan) => (plan.cancelId === null || ids.has(plan.cancelId) ? plan : BUSY));
}

/** @param made the jobs of all plans, in their order */
export function answersOf(
  plans: readonly FirePlan[],
  made: readonly Job[],
  cancelled: readonly CancelledJob[],
): FireAnswer[] {
  let place = 0;
  return plans.map(({ outcome, jobs, cancelId, skippedInRow }) => ({
    outcome,
    jobs: made.slice(place, (place += jobs.length)),
    skippedInRow,
    cancelled: cancelled.find(({ id }) => id === cancelId) ?? null,
  }));
}

/** The jobs that fires have made, as they were encoded. */
export function jobsOfFires(fires: readonly ScheduleFire[], answers: readonly FireAnswer[]): EncodedJob[] {
  return fires.flatMap(({ jobs }, index) => {
    const made = new Set(answers[index]!.jobs.map(({ id }) => id));
    return jobs.flatMap(({ job }) => (made.has(job.id) ? [job] : []));
  });
}

export const LOST: FirePlan = { outcome: 'lost', change: null, jobs: [], cancelId: null, skippedInRow: 0 };
const BUSY: FirePlan = { ...LOST, outcome: 'busy' };

function isAsSeen({ revision, at, isQueued }: ScheduleFire, row: LockedSchedule): boolean {
  if (row.revision !== revision || row.pausedAt !== null) return false;
  const own = isQueued ? row.queuedTick : row.isDue ? row.nextAt : null;
  return own !== null && own.getTime() === at.getTime();
}

function planQueued(fire: ScheduleFire, row: LockedSchedule, seen: ReadonlyMap<string, SeenJob>): FirePlan {
  if (isOpen(row.lastJobId, seen)) return LOST;
  return make(fire.jobs, { ...unchanged(row), queuedTick: null }, seen);
}

function planTick(fire: ScheduleFire, row: LockedSchedule, seen: ReadonlyMap<string, SeenJob>): FirePlan {
  const after = row.lastTick?.getTime() ?? -Infinity;
  const lastTick = new Date(Math.max(after, fire.lastTick.getTime()));
  const change = { ...unchanged(row), nextAt: fire.followingAt, lastTick, catchUp: null };
  const jobs = fire.jobs.filter(({ tick, job }) => tick.getTime() > after && !seen.has(job.id));
  const [first] = jobs;
  if (first === undefined || fire.overlap === 'allow' || !isOpen(row.lastJobId, seen))
    return make(jobs, change, seen);
  if (fire.overlap === 'cancel') return { ...make(jobs, change, seen), cancelId: row.lastJobId };
  const isQueued = fire.overlap === 'queue' && row.queuedTick === null;
  const skipped = jobs.length - (isQueued ? 1 : 0);
  const skippedInRow = row.skippedInRow + skipped;
  return {
    ...LOST,
    outcome: isQueued ? 'queued' : 'skipped',
    change: {
      ...change,
      queuedTick: isQueued ? first.tick : row.queuedTick,
      skipped: row.skipped + skipped,
      skippedInRow,
    },
    skippedInRow,
  };
}

function make(
  jobs: readonly TickJob[],
  change: ScheduleChange,
  seen: ReadonlyMap<string, SeenJob>,
): FirePlan {
  const left = jobs.filter(({ job }) => !seen.has(job.id));
  if (left.length === 0) return { ...LOST, outcome: 'passed', change };
  const lastJobId = left.at(-1)!.job.id;
  return { ...LOST, outcome: 'made', change: { ...change, lastJobId, skippedInRow: 0 }, jobs: left };
}

function isOpen(id: string | null, seen: ReadonlyMap<string, SeenJob>): boolean {
  return id !== null && seen.get(id)?.isOpen === true;
}

function unchanged(row: StoredSchedule): ScheduleChange {
  const { name, nextAt, queuedTick, lastTick, lastJobId, skipped, skippedInRow, catchUp } = row;
  return { name, nextAt, queuedTick, lastTick, lastJobId, skipped, skippedInRow, catchUp };
}

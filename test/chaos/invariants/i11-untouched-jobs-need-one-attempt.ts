import { attemptsOf } from '../behaviors.js';
import { isTerminal, type JobTimeline, type Timelines } from '../timeline.js';
import { forEachJob } from './violations.js';

/** I11: a job that no fault touched, and nobody cancelled or retried, ends in its first attempt, or in the attempt that its plan says. */
export const untouchedJobsNeedOneAttempt = forEachJob('I11', (job, times) => {
  const { plan, row } = job;
  if (plan === undefined || row === undefined || !isTerminal(row) || plan.kind === 'exiting') return [];
  if (job.controls.some(({ what }) => what !== 'update')) return [];
  const wanted = attemptsOf(plan);
  if (row.attempts === wanted || isTouched(job, times)) return [];
  return [
    `ended as ${row.status} after ${row.attempts} attempts, no fault touched it, and ${wanted} would have done`,
  ];
});

/** Whether a fault fell into one of the job's leases: a fault of the worker, of its link, or of the database. */
function isTouched({ id, leases }: JobTimeline, times: Timelines): boolean {
  const { leaseMs, answerMs } = times.history.settings;
  const isLocked = times.history.faults.some(({ kind, ids }) => kind === 'lock' && ids!.includes(id));
  if (isLocked) return true;
  return leases.some(({ worker, claimedAt, end }) => {
    const until = end?.at ?? Infinity;
    const process = times.processOf(worker);
    const hasDied = process?.exitedAt !== undefined && process.exitedAt <= until + leaseMs;
    const hasLagged = times.lagOf(worker, claimedAt - leaseMs, until) > leaseMs / 3;
    return hasDied || hasLagged || times.faults(worker, claimedAt - answerMs, until).length > 0;
  });
}

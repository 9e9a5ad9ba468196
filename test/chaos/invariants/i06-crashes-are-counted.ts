import { causeOf } from '../causes.js';
import type { JobTimeline, LeaseSpan, Timelines } from '../timeline.js';
import { forEachJob } from './violations.js';

/** How long the start of a job may take after its mark, on a machine that is busy with killing processes. */
const MOMENT_MS = 300;

/**
 * I6: there are no more starts than claims. Each death of a worker under a job is counted once. A job that runs alone
 * at its crash `maxCrashes` or later is convicted. A retry begins to count afresh. No job is convicted that was not started or that had a neighbor.
 */
export const crashesAreCounted = forEachJob('I6', (job, times) => {
  const { leases, starts, row } = job;
  const { maxCrashes } = times.history.settings;
  const problems = wrongConviction(job, times);
  const claimed = new Set(leases.map(({ token }) => token));
  const started = starts.map(({ token }) => token);
  if (started.length > claimed.size)
    problems.push(`was started ${started.length} times in ${claimed.size} claims`);
  if (new Set(started).size < started.length) problems.push('was started twice under one lease');
  for (const token of started)
    if (!claimed.has(token)) problems.push(`was started under lease ${token}, which nobody claimed`);
  for (const { token, until, end } of leases) {
    if (end?.how === 'unexplained' && end.at >= until)
      problems.push(`lease ${token} ran out and was taken back, and no crash was counted`);
  }
  const deaths = leases.filter(({ end }) => end?.how === 'reclaimed' && end.at > job.reopenedAt);
  if (row !== undefined && row.crashes !== deaths.length)
    problems.push(`has ${row.crashes} crashes, and the audit shows ${deaths.length}`);
  const convicting = deaths.slice(maxCrashes - 1).filter(({ end }) => end!.alone);
  if (convicting.length > 1)
    problems.push(`ran alone and died ${convicting.length} times from its crash ${maxCrashes} on`);
  if (convicting[0] !== undefined && convicting[0].end!.after.status !== 'PANIC')
    problems.push(`died alone at its crash ${maxCrashes} or later, and is not PANIC`);
  return problems;
});

/** Checks that a convicted job was started, and that nothing else ran in its process at that time. */
function wrongConviction({ id, leases, starts, ends }: JobTimeline, times: Timelines): string[] {
  const last = leases.at(-1);
  if (last?.end?.how !== 'reclaimed' || last.end.after.status !== 'PANIC') return [];
  const start = starts.find(({ token }) => token === last.token);
  const why = causeOf(times.jobs.get(id)!, last, times);
  if (start === undefined && wasAboutToStart(last, times)) return [];
  if (start === undefined)
    return [`was convicted (${why}) without having been started under lease ${last.token}`];
  // A process that was only cut off may run other jobs after this job's handler has ended.
  const diedAt = times.processOf(last.worker)?.exitedAt ?? Infinity;
  const endedAt = Math.min(diedAt, last.until, ends.get(last.token) ?? Infinity);
  const beside = times.runningIn(last.worker, start.at, endedAt).filter((one) => one !== id);
  return beside.length === 0 ? [] : [`was convicted (${why}), and ${beside.join(', ')} ran beside it`];
}

/** Whether the worker was killed or frozen within a moment of the mark that the job runs alone, just before its start. */
function wasAboutToStart({ worker, renewedAt }: LeaseSpan, times: Timelines): boolean {
  const isAtMark = (at: number) => Math.abs(at - renewedAt) <= MOMENT_MS;
  const process = times.processOf(worker);
  if (process?.signal === 'SIGKILL' && isAtMark(process.exitedAt!)) return true;
  const faults = times.faults(worker, renewedAt - MOMENT_MS, renewedAt + MOMENT_MS);
  return faults.some(({ kind, from }) => kind === 'stop' && isAtMark(from));
}

import { causeOf } from '../causes.js';
import type { JobTimeline, LeaseEnd, Timelines } from '../timeline.js';
import { forEachJob } from './violations.js';

/** A process and the database read their clocks at different moments. */
const SLACK_MS = 5;

/**
 * I5: two attempts of one job overlap only if the audit shows that the earlier lease had run out, and a fault explains
 * every duplicate attempt.
 */
export const attemptsDoNotOverlap = forEachJob('I5', (job, times) => [
  ...takenTooEarly(job),
  ...overlapping(job),
  ...unexplained(job, times),
]);

function takenTooEarly({ leases }: JobTimeline): string[] {
  return leases
    .filter(({ end, until }) => isTakenBack(end) && end!.at < until)
    .map(
      ({ token, until, end }) =>
        `lease ${token} was taken back ${(until - end!.at).toFixed(0)} ms before its end`,
    );
}

function isTakenBack(end: LeaseEnd | undefined): boolean {
  return end?.how === 'reclaimed' || end?.how === 'stopped';
}

function overlapping({ audit, leases, starts, ends }: JobTimeline): string[] {
  const problems: string[] = [];
  for (const { before, after } of audit) {
    if (before?.worker == null || after.worker === null || before.worker === after.worker) continue;
    problems.push(`lease ${before.token} passed from ${before.worker} to ${after.worker}`);
  }
  for (const [index, lease] of leases.entries()) {
    if (index > 0 && leases[index - 1]!.end === undefined)
      problems.push(`lease ${lease.token} began while lease ${leases[index - 1]!.token} stood`);
    // A job may be given back only if its handler does not run. Otherwise the next attempt could run beside it.
    const wasStarted = starts.some(
      ({ token, at }) => token === lease.token && at < (lease.end?.at ?? 0) - SLACK_MS,
    );
    const endedAt = ends.get(lease.token) ?? Infinity;
    if (lease.end?.how === 'released' && wasStarted && endedAt > lease.end.at + SLACK_MS)
      problems.push(`lease ${lease.token} was given back while its handler ran`);
  }
  return problems;
}

function unexplained(job: JobTimeline, times: Timelines): string[] {
  return job.leases
    .filter((lease) => isTakenBack(lease.end) && causeOf(job, lease, times) === 'unexplained')
    .map(({ token, worker, end, renewedAt }) => {
      const since = (end!.at - renewedAt).toFixed(0);
      return `lease ${token} of ${worker} was taken back ${since} ms after its last heartbeat, at ${asTime(end!.at)}, and no fault explains it`;
    });
}

function asTime(at: number): string {
  return new Date(at).toISOString();
}

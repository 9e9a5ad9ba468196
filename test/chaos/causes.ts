import type { Fault } from './records.js';
import { coveredMs } from './spans.js';
import type { JobTimeline, LeaseSpan, Timelines } from './timeline.js';

/** Why a lease was reclaimed; see `causeOf`. */
export type Cause =
  | 'worker killed by the nemesis'
  | 'worker ended by a job'
  | 'worker frozen'
  | 'event loop blocked'
  | 'link to the database'
  | 'database down or slow'
  | 'row locked'
  | 'answer of the claim lost'
  | 'stopped at the end'
  | 'unexplained';

/** Faults that break a connection, so that the answer to a claim can be lost. */
const BREAKS = new Set<Fault['kind']>([
  'terminate',
  'restart',
  'resets',
  'drop answers',
  'cut',
  'forget',
  'hold',
]);
const LINK = new Set<Fault['kind']>(['latency', 'resets', 'hold', 'forget', 'drop answers', 'cut']);
/** Processes and the database read the same clock, but at different moments. */
const SLACK_MS = 300;

/**
 * Finds in the records why a lease was not renewed before it ran out and was reclaimed. A terminated connection alone
 * is no reason: a failed heartbeat or settle is retried at once.
 */
export function causeOf(job: JobTimeline, lease: LeaseSpan, times: Timelines): Cause {
  const { settings, healedAt } = times.history;
  const end = lease.end!.at;
  const from = lease.renewedAt - SLACK_MS;
  const process = times.processOf(lease.worker);
  if (process?.exitedAt !== undefined && process.exitedAt <= end) {
    if (process.code === 86) return 'worker ended by a job';
    return process.exitedAt > healedAt ? 'stopped at the end' : 'worker killed by the nemesis';
  }
  const faults = times.faults(lease.worker, from, end + SLACK_MS);
  if (faults.some(({ kind }) => kind === 'stop')) return 'worker frozen';
  // Heartbeats come at a third of the lease, so a lease is lost only if at least a third of it was lost.
  const neededMs = settings.leaseMs / 3;
  const lagMs = times.lagOf(lease.worker, from, end);
  if (lagMs >= neededMs) return 'event loop blocked';
  const withLinks = times.faults(lease.worker, from - settings.answerMs, end + SLACK_MS);
  if (withLinks.some(({ kind }) => LINK.has(kind))) return 'link to the database';
  const database = faults.filter(({ kind }) => kind === 'restart' || kind === 'slow database');
  if (coveredMs(database, from, end) + lagMs >= neededMs) return 'database down or slow';
  const isLocked = times.history.faults.some(
    ({ kind, ids, from: since, until }) =>
      kind === 'lock' && since <= end && until >= from && ids!.includes(job.id),
  );
  if (isLocked) return 'row locked';
  const isStarted = job.starts.some(({ token }) => token === lease.token);
  const atClaim = times.faults(
    lease.worker,
    lease.claimedAt - settings.answerMs,
    lease.claimedAt + settings.answerMs,
  );
  if (!isStarted && atClaim.some(({ kind }) => BREAKS.has(kind))) return 'answer of the claim lost';
  return 'unexplained';
}

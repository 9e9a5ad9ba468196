import type { Fault } from './records.js';
import { coveredMs } from './spans.js';
import type { JobTimeline, LeaseSpan, Timelines } from './timeline.js';

/** Why a lease was taken back; see `causeOf`. */
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

/** Faults that take a connection away, and with it the answer to a claim. */
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
/** Processes and database read one clock, in moments of their own. */
const SLACK_MS = 300;

/**
 * What the records show as the reason why nobody renewed a lease until it ran out and was taken back. A terminated
 * connection alone is no reason: a heartbeat that fails is tried again at once, and so is a settle.
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
  // A lease lives on heartbeats at a third of its time: to lose it, most of it must have been lost.
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

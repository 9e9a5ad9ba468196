import type { Control } from '../records.js';
import type { JobTimeline, LeaseSpan } from '../timeline.js';
import { forEachJob } from './violations.js';

/** A process and the database read their clocks at different moments. */
const SLACK_MS = 50;

/**
 * I16: an update is seen by each attempt that is claimed after it was answered, and by none that was claimed before it was sent.
 * A job that runs is not updated, and what was refused is never seen.
 */
export const updatesAreSeenWhole = forEachJob('I16', (job) => {
  const updates = job.controls.filter(({ what }) => what === 'update');
  return updates.length === 0 ? [] : [...seenBy(job, updates), ...writtenUnder(job, updates)];
});

/** What handlers saw, against what they should have seen. */
function seenBy({ starts, leases }: JobTimeline, updates: readonly Control[]): string[] {
  return starts.flatMap(({ token, change }) => {
    const lease = leases.find((one) => one.token === token);
    if (lease === undefined) return [];
    const seen = updates.find(({ call }) => call === change);
    if (change !== undefined && seen === undefined)
      return [`saw ${change}, which nobody sent, under lease ${token}`];
    const problems = updates
      .filter((update) => isBefore(update, lease) && !isAsNew(seen, update))
      .map(({ call }) => `was updated by ${call}, and the attempt of lease ${token} did not see it`);
    if (seen?.how === 'not waiting')
      problems.push(`saw ${seen.call}, which was refused, under lease ${token}`);
    if (seen !== undefined && seen.from > lease.claimedAt + SLACK_MS)
      problems.push(`saw ${seen.call} under lease ${token}, which was claimed before that was sent`);
    return problems;
  });
}

/** Updates that were carried out while the job was held by a worker. */
function writtenUnder({ leases }: JobTimeline, updates: readonly Control[]): string[] {
  return updates
    .filter(({ how }) => how === 'updated')
    .flatMap(({ call, from, until }) => {
      const over = leases.find(
        ({ claimedAt, end }) => claimedAt < from - SLACK_MS && (end?.at ?? Infinity) > until + SLACK_MS,
      );
      return over === undefined ? [] : [`was updated by ${call} while it was held under lease ${over.token}`];
    });
}

function isBefore({ how, until }: Control, { claimedAt }: LeaseSpan): boolean {
  return how === 'updated' && until < claimedAt - SLACK_MS;
}

/** Whether what was seen is the update, or may have been written after it. */
function isAsNew(seen: Control | undefined, update: Control): boolean {
  return seen !== undefined && seen.until >= update.from;
}

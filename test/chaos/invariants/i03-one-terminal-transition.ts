import { isReopening } from '../control-calls.js';
import type { AuditRecord } from '../records.js';
import { isTerminal, type JobTimeline } from '../timeline.js';
import { forEachJob } from './violations.js';

/** A process and the database read their clocks at different moments. */
const SLACK_MS = 5;

/** I3: each job settles exactly once, and stays settled. Each retry of a job that has not succeeded allows one more. */
export const oneTerminalTransition = forEachJob('I3', (job) => {
  const { audit, row } = job;
  const first = audit.findIndex(({ after }) => isTerminal(after));
  if (first === -1)
    return row !== undefined && isTerminal(row) ? [`is ${row.status} and no change led there`] : [];
  const retried = new Set(retriesOf(job));
  return audit
    .slice(first + 1)
    .filter((change) => change.before !== undefined && isTerminal(change.before) && !retried.has(change))
    .map(
      ({ before, after }) =>
        `was ${before!.status}, and then changed to ${after.status} (lease ${after.token})`,
    );
});

/** The changes that calls of `retry` explain, one each. */
function retriesOf({ audit, controls }: JobTimeline): AuditRecord[] {
  const left = controls.filter(
    ({ what, how }) => what === 'retry' && (how === 'retried' || how === 'unknown'),
  );
  return audit.filter(isReopening).filter(({ at }) => {
    const found = left.findIndex(({ from, until }) => from <= at + SLACK_MS && until >= at - SLACK_MS);
    if (found !== -1) left.splice(found, 1);
    return found !== -1;
  });
}

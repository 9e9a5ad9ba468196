import { isReopening } from '../control-calls.js';
import type { AuditRecord, Control } from '../records.js';
import { isTerminal, type JobTimeline } from '../timeline.js';
import { forEachJob } from './violations.js';

/** A process and the database read their clocks at different moments. */
const SLACK_MS = 5;
/** A change is audited before it is committed. Until then, others see the row as it was. */
const COMMIT_MS = 1_000;

/**
 * I15: a cancelled job has one end and says which. What `cancel` answered is what the row says. A job that waited is never
 * claimed again; the lease of one that ran ends as DONE or CANCELLED, and is its last. A retry lifts all of this.
 */
export const cancelledJobsSaySo = forEachJob('I15', (job) => [
  ...job.leases
    .filter(({ end }) => end?.isStopping === true && !isRightEnd(end.after.status))
    .map(({ token, end }) => `was asked to stop, and its lease ${token} ended as ${end!.after.status}`),
  ...job.controls.flatMap((control) => problemsOf(control, job)),
]);

function isRightEnd(status: string): boolean {
  return status === 'DONE' || status === 'CANCELLED';
}

function problemsOf(control: Control, job: JobTimeline): string[] {
  switch (control.how) {
    case 'cancelled':
      return afterCancelled(control, job);
    case 'stopping':
      return afterStopping(control, job);
    case 'retried':
      return changesIn(control, job).some(isReopening) ? [] : ['was retried, and no change made it ready'];
    case 'nothing':
      return control.what === 'cancel' ? afterNothing(control, job) : [];
    case 'updated': // see I16
    case 'not waiting':
    case 'refused': // I3 names a change that no retry explains
    case 'unknown':
      return [];
  }
}

/** The changes of a job during a call. */
function changesIn({ from, until }: Control, { audit }: JobTimeline): AuditRecord[] {
  return audit.filter(({ at }) => at >= from - SLACK_MS && at <= until + SLACK_MS);
}

function afterCancelled(control: Control, job: JobTimeline): string[] {
  const change = changesIn(control, job).find(({ after }) => after.status === 'CANCELLED');
  if (change === undefined) return ['was answered to be cancelled, and no change says so'];
  if (isRetriedAfter(change, job)) return [];
  const problems = startsAfter(change, job).map(
    ({ token }) => `was cancelled, and then started under lease ${token}`,
  );
  const { status } = job.row ?? {};
  if (status !== 'CANCELLED') problems.push(`was cancelled, and ended as ${status}`);
  return problems;
}

function afterStopping(control: Control, job: JobTimeline): string[] {
  const change = changesIn(control, job).find(({ after }) => after.isStopping);
  if (change === undefined) return ['was answered to be stopping, and no change says so'];
  if (isRetriedAfter(change, job)) return [];
  const problems = startsAfter(change, job).map(
    ({ token }) => `was to stop under lease ${change.after.token}, and started under lease ${token}`,
  );
  const { status = 'gone' } = job.row ?? {};
  if (!isRightEnd(status)) problems.push(`was to stop, and ended as ${status}`);
  return problems;
}

/** An earlier lease may still start late in a process that was frozen; that is no new claim. */
function startsAfter({ after }: AuditRecord, { starts }: JobTimeline) {
  return starts.filter(({ token }) => token > after.token);
}

function isRetriedAfter({ seq }: AuditRecord, { audit }: JobTimeline): boolean {
  return audit.some((change) => change.seq > seq && isReopening(change));
}

function afterNothing({ from, until }: Control, { audit }: JobTimeline): string[] {
  const states = audit.filter(
    ({ at }, index) => at <= until && (audit[index + 1]?.at ?? Infinity) >= from - COMMIT_MS,
  );
  if (states.length === 0 || states.some(({ after }) => isTerminal(after))) return [];
  return ['was to be cancelled, and was answered to have ended, which it had not'];
}

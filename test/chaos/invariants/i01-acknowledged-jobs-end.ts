import { endingsOf } from '../behaviors.js';
import type { Violation } from '../records.js';
import { isTerminal, type JobTimeline } from '../timeline.js';
import type { Invariant } from './violations.js';

/** I1: every acknowledged job is settled, in a status that it can end in. */
export const acknowledgedJobsEnd: Invariant = (times) => {
  const violations: Violation[] = [];
  const { size } = times.acknowledged;
  if (size === 0 || size < times.jobs.size / 2) {
    const message = `${size} of ${times.jobs.size} jobs were acknowledged: such a run shows nothing`;
    violations.push({ invariant: 'I1', message });
  }
  for (const id of times.acknowledged) {
    const problem = problemOf(times.jobs.get(id)!, times.history.settings.maxCrashes);
    if (problem !== undefined) violations.push({ invariant: 'I1', job: id, message: problem });
  }
  return violations;
};

function problemOf(job: JobTimeline, maxCrashes: number): string | undefined {
  const { row, plan } = job;
  if (row === undefined) return 'was acknowledged and is lost';
  if (!isTerminal(row)) return `was acknowledged and is still ${row.status}`;
  if (plan === undefined || endingsOf(plan).includes(row.status)) return undefined;
  if (row.status === 'CANCELLED' && job.controls.some(({ what }) => what === 'cancel')) return undefined;
  if (row.status === 'PANIC' && isConvicted(job, maxCrashes)) return undefined;
  return `${plan.kind} (${plan.trick ?? `${plan.ms} ms`}) ended as ${row.status}: ${row.lastError?.slice(0, 200)}`;
}

/** Whether the job was alone in its process when that died for the last time. It may then have been the reason. */
function isConvicted({ leases, row }: JobTimeline, maxCrashes: number): boolean {
  const end = leases.at(-1)?.end;
  return row!.crashes >= maxCrashes && end?.how === 'reclaimed' && end.alone;
}

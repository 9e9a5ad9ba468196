import type { EnqueueCall, Timelines } from '../timeline.js';
import type { Invariant } from './violations.js';

/**
 * I2: every row was enqueued, once. Jobs that were refused or rolled back do not exist. A call without an answer has
 * written all of its jobs or none, but for those with a unique key, which may have joined others. A row of the application exists if and only if the job enqueued in the same
 * transaction does.
 */
export const rowsWereEnqueued: Invariant = (times) => {
  const invariant = 'I2';
  const violations = [];
  for (const job of times.jobs.values()) {
    if (job.plan === undefined)
      violations.push({ invariant, job: job.id, message: 'is there and was never enqueued' });
    const inserts = job.audit.filter(({ before }) => before === undefined).length;
    if (inserts > 1) violations.push({ invariant, job: job.id, message: `was inserted ${inserts} times` });
    if (job.row !== undefined && inserts === 0)
      violations.push({ invariant, job: job.id, message: 'is there and the audit saw no insert' });
  }
  const business = new Set(times.history.business);
  for (const call of times.calls) {
    for (const message of problemsOf(call, times, business))
      violations.push({ invariant, job: call.send.jobs[0]!.id, message });
  }
  return violations;
};

function problemsOf(
  { send, answer }: EnqueueCall,
  times: Timelines,
  business: ReadonlySet<string>,
): string[] {
  const problems: string[] = [];
  const isThere = ({ id }: { readonly id: string }) => times.jobs.get(id)?.row !== undefined;
  const there = send.jobs.filter(isThere);
  const isPart = send.jobs.some((job) => job.plan.unique === undefined && !isThere(job));
  const call = `call ${send.call} (${send.shape}, ${send.jobs.length} jobs, ${answer?.how ?? 'unknown'})`;
  if (there.length > 0 && isPart) problems.push(`${call}: ${there.length} of its jobs are there`);
  const isAgain = send.again !== undefined || times.acknowledged.has(send.jobs[0]!.id);
  if (answer?.how === 'failed' && !isAgain && there.length > 0)
    problems.push(`${call}: failed, and is there`);
  if (answer?.how === 'duplicate' && send.again === undefined)
    problems.push(`${call}: its ids were refused as duplicates, and nobody had used them`);
  if (send.shape === 'rolled back' && there.length > 0) problems.push(`${call}: is there`);
  if (send.shape === 'transaction' || send.shape === 'rolled back') {
    for (const job of send.jobs) {
      const hasRow = business.has(job.id);
      const mayJoin = job.plan.unique !== undefined && send.shape !== 'rolled back';
      if (hasRow !== isThere(job) && !(mayJoin && hasRow))
        problems.push(
          `${call}: the application's row is ${hasRow ? '' : 'not '}there, the job is ${isThere(job) ? '' : 'not '}`,
        );
    }
  }
  return problems;
}

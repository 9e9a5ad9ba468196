import { forEachJob, type Invariant } from './violations.js';

/** The database rounds to milliseconds, and a process reads its clock before the database does. */
const SLACK_MS = 5;

/** I9: no claim comes before `run_at`, and `run_at` is no sooner than the enqueuer requested, by real time. */
export const nothingStartsEarly: Invariant = (times) => {
  const sentAt = new Map<string, number>();
  for (const { jobs, at, again } of times.history.sends) {
    if (again === undefined) for (const { id } of jobs) sentAt.set(id, at);
  }
  return forEachJob('I9', ({ id, plan, audit }) => {
    const problems: string[] = [];
    for (const { at, before, after } of audit) {
      if (before === undefined) {
        const wanted = (sentAt.get(id) ?? -Infinity) + (plan?.delayMs ?? 0);
        if (after.runAt < wanted - SLACK_MS)
          problems.push(`may run ${(wanted - after.runAt).toFixed(0)} ms sooner than was asked for`);
      } else if (before.worker === null && after.worker !== null && at < before.runAt - SLACK_MS) {
        problems.push(`was claimed ${(before.runAt - at).toFixed(0)} ms before its time`);
      }
    }
    return problems;
  })(times);
};

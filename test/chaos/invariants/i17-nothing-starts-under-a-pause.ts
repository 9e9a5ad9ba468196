import { KINDS } from '../behaviors.js';
import type { Violation } from '../records.js';
import type { Timelines } from '../timeline.js';

/** I17: from the moment at which every live worker obeys a pause, no job of the kind starts until it is resumed. */
export function nothingStartsUnderAPause({ history, jobs }: Timelines): Violation[] {
  const violations: Violation[] = [];
  if (history.pauses.length === 0)
    violations.push({
      invariant: 'I17',
      message: 'no pause was obeyed by all workers: such a run shows nothing',
    });
  for (const { id, plan, starts } of jobs.values()) {
    const kind = plan && KINDS[plan.kind];
    for (const pause of history.pauses.filter((one) => one.kind === kind))
      for (const { at, worker } of starts.filter((start) => start.at > pause.from && start.at < pause.until))
        violations.push({
          invariant: 'I17',
          job: id,
          message: `started at ${worker} ${(at - pause.from).toFixed(0)} ms after all had obeyed the pause`,
        });
  }
  return violations;
}

import type { Violation } from '../records.js';
import type { JobTimeline, Timelines } from '../timeline.js';

/** A check that returns the violations in a history. */
export type Invariant = (times: Timelines) => Violation[];

/** A check that looks at one job at a time. */
export function forEachJob(
  invariant: string,
  check: (job: JobTimeline, times: Timelines) => string[],
): Invariant {
  return (times) =>
    [...times.jobs.values()].flatMap((job) =>
      check(job, times).map((message) => ({ invariant, job: job.id, message })),
    );
}

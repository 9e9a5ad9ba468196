import type { JobHandlerOptions } from '../../lib/job/handler-options.js';
import type { ClaimedJob, JobContext } from '../../lib/job/job.js';
import type { JobStatus } from '../../lib/job/job-state.js';

/** What a handler does, and what may become of its job; `PENDING` where it may be tried again. */
export type HostileHandler = readonly [
  what: string,
  run: (job: ClaimedJob<never>, context: JobContext<never>) => unknown,
  ends: readonly JobStatus[],
  options?: JobHandlerOptions,
];

export const FAILS: readonly JobStatus[] = ['FAILED', 'PANIC'];
export const ENDS: readonly JobStatus[] = ['DONE', 'FAILED', 'PANIC'];

import type { JobSummary } from '../../job/job.js';
import type { JobRow } from '../api/job-screens.js';

/** How much of an error a list shows. */
const MAX_LINE = 300;

export function jobRow(job: JobSummary): JobRow {
  return {
    ...{ id: job.id, kind: job.kind, state: job.state, status: job.status },
    createdAt: job.createdAt.getTime(),
    runAt: millisOf(job.runAt),
    updatedAt: job.updatedAt.getTime(),
    lastAttemptAt: millisOf(job.lastAttemptAt),
    attemptsDone: job.attemptsDone,
    maxAttempts: job.maxAttempts ?? null,
    crashes: job.crashes,
    priority: job.priority,
    tags: job.tags ?? [],
    uniqueKey: job.uniqueKey ?? null,
    schedule: job.schedule ?? null,
    lockedBy: job.lockedBy ?? null,
    error: job.lastError?.split('\n', 1)[0]!.slice(0, MAX_LINE) ?? null,
    progress: job.progress ?? null,
  };
}

/** Null also for an instant that no clock gets to. */
export function millisOf(instant: Date | null | undefined): number | null {
  const millis = instant?.getTime() ?? NaN;
  return Number.isNaN(millis) ? null : millis;
}

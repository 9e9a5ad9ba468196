import type { JobRow } from '../../api/job-screens.js';
import type { MaybeUndated } from './times.js';

/** The instant that matters of a job in its state, and what it is. */
export interface JobMoment {
  readonly label: string;
  readonly at: MaybeUndated;
}

export function momentOf(job: Pick<JobRow, 'state' | 'runAt' | 'updatedAt' | 'lastAttemptAt'>): JobMoment {
  switch (job.state) {
    case 'scheduled':
      return { label: 'starts', at: job.runAt };
    case 'retrying':
      return { label: 'again', at: job.runAt };
    case 'ready':
    case 'blocked':
      return { label: 'ready', at: job.runAt };
    case 'running':
    case 'stopping':
      return { label: 'started', at: job.lastAttemptAt ?? job.updatedAt };
    default:
      return { label: 'ended', at: job.updatedAt };
  }
}

/** `3/5`: attempts that have ended, of those that the job has. */
export function attemptsOf({
  attemptsDone,
  maxAttempts,
}: Pick<JobRow, 'attemptsDone' | 'maxAttempts'>): string {
  return maxAttempts === null ? String(attemptsDone) : `${attemptsDone}/${maxAttempts}`;
}

/** `40 %` of a number from 0 to 1; else the values that the handler told, as text. */
export function progressText(progress: JobRow['progress']): string | null {
  if (progress === null) return null;
  if (typeof progress === 'number') return `${Math.round(progress * 100)} %`;
  return Object.entries(progress)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

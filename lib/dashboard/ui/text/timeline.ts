import type { AttemptRow, JobPage } from '../../api/job-screens.js';
import type { StateName } from '../../api/screens.js';
import type { MaybeUndated } from './times.js';

/** Something that happened to a job, or will. */
export interface TimelineEntry {
  readonly key: string;
  readonly title: string;
  readonly at: MaybeUndated;
  readonly tone: StateName | 'plain';
  /** How long an attempt took, in milliseconds. */
  readonly tookMs: number | null;
  readonly worker: string | null;
  /** An error with its stack, or a reason. */
  readonly text: string | null;
}

const ATTEMPTS: Readonly<Record<string, readonly [title: string, tone: StateName]>> = {
  retry: ['failed, and another one follows', 'retrying'],
  failed: ['failed', 'failed'],
  panic: ['panicked', 'panic'],
  cancelled: ['was cancelled', 'cancelled'],
  crashed: ['ended with its worker', 'panic'],
  done: ['succeeded', 'done'],
};

const ENDS: Readonly<Partial<Record<StateName, string>>> = {
  done: 'Done',
  failed: 'Failed for good',
  panic: 'Panicked',
  cancelled: 'Cancelled',
};

/** What happened to a job, the first at the top, and what happens next. */
export function timelineOf({ job, attempts, now }: JobPage): readonly TimelineEntry[] {
  const past = [...attempts].sort((one, other) => one.endedAt - other.endedAt).map(attemptEntry);
  return [
    entry('created', 'Enqueued', job.createdAt, 'plain'),
    ...gap(job, attempts),
    ...past,
    ...present(job, now, attempts),
  ];
}

function attemptEntry({ attempt, worker, startedAt, endedAt, outcome, error }: AttemptRow): TimelineEntry {
  const [what, tone] = ATTEMPTS[outcome] ?? [`ended as ${outcome}`, 'plain' as const];
  return {
    ...entry(`attempt-${attempt}`, `Attempt ${attempt} ${what}`, endedAt, tone),
    tookMs: startedAt === null ? null : endedAt - startedAt,
    worker,
    text: error,
  };
}

/** Attempts without a row: by default that of a success, and all but the last 50. */
function gap(job: JobPage['job'], attempts: readonly AttemptRow[]): readonly TimelineEntry[] {
  const first = Math.min(...attempts.map(({ attempt }) => attempt));
  if (attempts.length === 0 || first === 1) return [];
  const title = first === 2 ? 'Attempt 1 is not recorded' : `Attempts 1 to ${first - 1} are not recorded`;
  return [entry('gap', title, job.createdAt, 'plain')];
}

function present(
  job: JobPage['job'],
  now: number,
  attempts: readonly AttemptRow[],
): readonly TimelineEntry[] {
  const next = `Attempt ${job.attemptsDone + 1}`;
  switch (job.state) {
    case 'scheduled':
      return [entry('present', 'Starts', job.runAt, 'scheduled')];
    case 'retrying':
      return [entry('present', `${next} may start`, job.runAt, 'retrying')];
    case 'ready':
    case 'blocked':
      return [entry('present', 'Ready to run', Math.min(job.runAt ?? job.createdAt, now), job.state)];
    case 'running':
    case 'stopping':
      return [running(job, next)];
    default:
      return ended(job, attempts);
  }
}

function running(job: JobPage['job'], next: string): TimelineEntry {
  const title = job.state === 'stopping' ? `${next} has been asked to stop` : `${next} is running`;
  return {
    ...entry('present', title, job.lastAttemptAt ?? job.updatedAt, job.state),
    worker: job.lockedBy,
    text: job.state === 'stopping' ? job.cancelReason : null,
  };
}

/** The end, unless the last attempt tells it. */
function ended(job: JobPage['job'], attempts: readonly AttemptRow[]): readonly TimelineEntry[] {
  const last = [...attempts].sort((one, other) => one.endedAt - other.endedAt).at(-1);
  if (last !== undefined && ATTEMPTS[last.outcome]?.[1] === job.state) return [];
  const text = job.state === 'cancelled' ? job.cancelReason : null;
  return [{ ...entry('present', ENDS[job.state] ?? job.state, job.updatedAt, job.state), text }];
}

function entry(key: string, title: string, at: MaybeUndated, tone: TimelineEntry['tone']): TimelineEntry {
  return { key, title, at, tone, tookMs: null, worker: null, text: null };
}

import { listOf, printable } from '../../events/log-text.js';
import { ALL_KINDS, pauseOf } from '../../queue/kind-store.js';
import { instantText, timeText } from '../output/format.js';
import type { DoctorBounds } from './bounds.js';
import type { WorkFinding } from './work-codes.js';
import { workerFindings } from './worker-findings.js';
import type { WorkLook } from './work-look.js';

/** Judges what was seen. A paused kind waits because somebody wants it to. */
export function workFindings(look: WorkLook, bounds: DoctorBounds): WorkFinding[] {
  return [
    ...unserved(look),
    ...oldBacklog(look, bounds),
    ...expired(look),
    ...overdue(look),
    ...unreadable(look),
    ...forgottenPauses(look, bounds),
    ...workerFindings(look, bounds),
  ];
}

function unserved({ ready, workers, controls }: WorkLook): WorkFinding[] {
  const waiting = ready.filter(({ kind }) => pauseOf(controls, kind) === undefined);
  const alone = waiting.filter(({ kind }) => !workers.some(({ kinds }) => kinds.includes(kind)));
  if (alone.length === 0) return [];
  if (workers.length === 0)
    return [
      {
        code: 'no-worker',
        severity: 'error',
        trouble: `No worker is live, and jobs of these kinds are ready: ${listOf(alone.map(({ kind }) => kind))}.`,
        remedy: 'Start a process whose JobsModule has a worker, and the handlers of these kinds.',
      },
    ];
  return alone.map(({ kind, oldestMs }) => ({
    code: 'kind-without-worker',
    severity: 'error',
    trouble: `Jobs of the kind ${printable(kind)} have been ready for up to ${timeText(oldestMs)!}, and none of the live workers (${workers.length}) serves it.`,
    remedy:
      'Deploy its handler, look at the option "kinds" of the workers, or delete its jobs if nothing needs them.',
  }));
}

function oldBacklog({ ready, workers, controls }: WorkLook, { maxReadyMs }: DoctorBounds): WorkFinding[] {
  return ready
    .filter(({ kind, oldestMs }) => oldestMs > maxReadyMs && pauseOf(controls, kind) === undefined)
    .filter(({ kind }) => workers.some(({ kinds }) => kinds.includes(kind)))
    .map(({ kind, oldestMs }) => ({
      code: 'backlog-old',
      severity: 'warning',
      trouble: `The oldest ready job of the kind ${printable(kind)} has waited for ${timeText(oldestMs)!}.`,
      remedy:
        'Start more workers, raise their concurrency, or give the kind a better priority; "stats" shows how long its jobs take.',
    }));
}

function expired({ expired: { count, longestMs } }: WorkLook): WorkFinding[] {
  if (count === 0) return [];
  return [
    {
      code: 'leases-expired',
      severity: 'error',
      trouble: `The leases of ${count} jobs ran out up to ${timeText(longestMs)!} ago, and no worker has taken them back. Their workers are dead, or frozen.`,
      remedy: 'Start a worker: each takes back what other workers have left.',
    },
  ];
}

function overdue({ overdue: schedules }: WorkLook): WorkFinding[] {
  return schedules.map(({ name, kind, nextAt, lateMs }) => ({
    code: 'schedule-overdue',
    severity: 'error',
    trouble: `The schedule ${printable(name)} was to tick at ${instantText(nextAt)!}, ${timeText(lateMs)!} ago.`,
    remedy: `Start a worker that serves the kind ${printable(kind)}. A schedule that code declares is fired by the processes that declare it.`,
  }));
}

function unreadable({ schedules }: WorkLook): WorkFinding[] {
  return schedules.flatMap(({ name, unreadable: reason }) =>
    reason === undefined
      ? []
      : {
          code: 'schedule-unreadable',
          severity: 'error',
          trouble: `The row of the schedule ${printable(name)} cannot be read, so it makes no jobs: ${printable(reason)}`,
          remedy: 'Write it again with JobSchedules.upsert(), or delete it.',
        },
  );
}

function forgottenPauses({ controls, schedules }: WorkLook, { maxPausedMs }: DoctorBounds): WorkFinding[] {
  const isOld = (since: Date) => controls.now - since.getTime() > maxPausedMs;
  const ofKinds = controls.pauses
    .filter(({ until, since }) => until === null && isOld(since))
    .map(({ kind, since, reason }) => {
      const what = kind === ALL_KINDS ? 'All kinds are' : `The kind ${printable(kind)} is`;
      return forgotten(
        what,
        since,
        reason,
        `Run: nestjs-typeorm-jobs resume ${JSON.stringify(printable(kind))}`,
      );
    });
  const ofSchedules = schedules
    .filter(({ pausedAt }) => pausedAt !== undefined && isOld(pausedAt))
    .map(({ name, pausedAt, pausedReason }) =>
      forgotten(
        `The schedule ${printable(name)} is`,
        pausedAt!,
        pausedReason,
        'Resume it with JobSchedules.resume()',
      ),
    );
  return [...ofKinds, ...ofSchedules];
}

function forgotten(
  what: string,
  since: Date,
  reason: string | null | undefined,
  remedy: string,
): WorkFinding {
  const why = reason == null ? '' : ` (${printable(reason)})`;
  return {
    code: 'pause-forgotten',
    severity: 'warning',
    trouble: `${what} paused since ${instantText(since)!}, with no end${why}.`,
    remedy: `${remedy}. Where the pause is wanted, give it an end.`,
  };
}

import { seconds, printable } from '../events/log-text.js';
import { liveWorkerOf } from '../client/live-worker.js';
import { readyKinds, type ReadyKind } from '../client/ready-kinds.js';
import type { OverdueSchedule } from '../queue/inspector.js';
import type { JobQueue } from '../queue/job-queue.js';
import { pauseOf, type Controls } from '../queue/kind-store.js';
import type { HealthSettings } from './health-options.js';
import type { Backlog, HealthProblem } from './health-report.js';

/** What the jobs of the cluster wait for, as the database has it. */
export interface BacklogLook {
  readonly ready: readonly ReadyKind[];
  readonly controls: Controls;
  /** The kinds that live workers serve. */
  readonly served: ReadonlySet<string>;
  readonly overdue: readonly OverdueSchedule[];
}

export type Thresholds = Pick<HealthSettings, 'maxReadyMs' | 'maxReadyMsOf' | 'maxOverdueMs'>;

const SCHEDULES_LISTED = 100;

export async function lookAtBacklog(
  queue: Pick<JobQueue, 'inspector' | 'kinds'>,
  { maxOverdueMs }: Thresholds,
): Promise<BacklogLook> {
  const { inspector, kinds } = queue;
  const [ready, controls, workers, overdue] = await Promise.all([
    readyKinds(kinds),
    kinds.controls(),
    kinds.workers(),
    maxOverdueMs === Infinity ? [] : inspector.overdueSchedules(maxOverdueMs, SCHEDULES_LISTED),
  ]);
  const served = new Set(workers.map(liveWorkerOf).flatMap((worker) => worker.kinds));
  return { ready, controls, served, overdue };
}

/** Judges what was seen. A paused kind waits because somebody wants it to. */
export function judgeBacklog({ ready, controls, served, overdue }: BacklogLook, limits: Thresholds): Backlog {
  const { maxReadyMs, maxReadyMsOf } = limits;
  const waiting = ready.filter(({ kind }) => pauseOf(controls, kind) === undefined);
  const unserved = waiting.filter(({ kind }) => !served.has(kind)).map(({ kind }) => kind);
  const isLate = ({ kind, oldestMs }: ReadyKind) => oldestMs > (ownOf(maxReadyMsOf, kind) ?? maxReadyMs);
  const problems = [
    ...unserved.map(withoutWorker),
    ...waiting.filter(isLate).map(old),
    ...overdue.map(overdueTick),
  ];
  return {
    isUp: problems.length === 0,
    oldestReadyMs: Object.fromEntries(waiting.map(({ kind, oldestMs }) => [kind, Math.round(oldestMs)])),
    overdueMs: Object.fromEntries(overdue.map(({ name, lateMs }) => [name, Math.round(lateMs)])),
    kindsWithoutWorker: unserved,
    problems,
  };
}

/** A kind may be called as a property that every object has. */
function ownOf(limits: Readonly<Record<string, number>>, kind: string): number | undefined {
  return Object.hasOwn(limits, kind) ? limits[kind] : undefined;
}

function withoutWorker(kind: string): HealthProblem {
  return {
    code: 'kind-without-worker',
    text: `Jobs of the kind ${printable(kind)} are ready, and no live worker serves it.`,
  };
}

function old({ kind, oldestMs }: ReadyKind): HealthProblem {
  return {
    code: 'backlog-old',
    text: `The oldest ready job of the kind ${printable(kind)} has waited for ${seconds(oldestMs)}.`,
  };
}

function overdueTick({ name, lateMs }: OverdueSchedule): HealthProblem {
  return {
    code: 'schedule-overdue',
    text: `The schedule ${printable(name)} is ${seconds(lateMs)} late.`,
  };
}

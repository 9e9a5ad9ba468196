import process from 'node:process';
import type { LiveWorker } from '../../client/live-worker.js';
import { readyKinds, type ReadyKind } from '../../client/ready-kinds.js';
import { RELEASE } from '../../job/release.js';
import type { ExpiredLeases, OverdueSchedule } from '../../queue/inspector.js';
import type { Controls } from '../../queue/kind-store.js';
import type { Schedule } from '../../schedules/schedule.js';
import { allSchedules } from '../commands/schedules.js';
import type { Jobs } from '../jobs.js';
import type { DoctorBounds } from './bounds.js';

/** How jobs, workers and schedules stand, as one look has found it. */
export interface WorkLook {
  readonly ready: readonly ReadyKind[];
  readonly workers: readonly LiveWorker[];
  readonly controls: Controls;
  readonly schedules: readonly Schedule[];
  readonly overdue: readonly OverdueSchedule[];
  readonly expired: ExpiredLeases;
  /** The release of this command, and the time zone data of its process. */
  readonly own: { readonly release: string; readonly tzData: string | null };
}

const OVERDUE_LISTED = 100;

export async function lookAtWork(
  { queue, kinds, schedules }: Pick<Jobs, 'queue' | 'kinds' | 'schedules'>,
  { maxOverdueMs, maxExpiredMs }: DoctorBounds,
): Promise<WorkLook> {
  const { inspector } = queue;
  return {
    ready: await readyKinds(queue.kinds),
    workers: await kinds.workers(),
    controls: await queue.kinds.controls(),
    schedules: await allSchedules(schedules),
    overdue: await inspector.overdueSchedules(maxOverdueMs, OVERDUE_LISTED),
    expired: await inspector.expiredLeases(maxExpiredMs),
    own: { release: RELEASE, tzData: process.versions.tz ?? null },
  };
}

import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import type { CancelledJob } from '../../queue/job-editor.js';
import type { FireAnswer, ScheduleFire } from '../../queue/schedule-store.js';
import {
  afterCancel,
  answersOf,
  jobIdsFor,
  planFires,
  type LockedSchedule,
  type ScheduleChange,
  type SeenJob,
} from './fire-plan.js';

/** What a fire does in its transaction. No step is asked for nothing, but for `see`. */
export interface FireSteps {
  /** Locks the rows of these schedules, and passes over those that others have locked. */
  lock(names: readonly string[]): Promise<readonly LockedSchedule[]>;
  see(jobIds: readonly string[]): Promise<readonly SeenJob[]>;
  /** @param jobIds ascending */
  cancel(jobIds: readonly string[]): Promise<readonly CancelledJob[]>;
  insert(jobs: readonly EncodedJob[]): Promise<readonly Job[]>;
  write(changes: readonly ScheduleChange[]): Promise<unknown>;
}

/**
 * Fires schedules. The lock on the row of a schedule lets one caller at a time decide on its tick; all others pass over it,
 * and find it moved on later.
 */
export async function carryOut(fires: readonly ScheduleFire[], steps: FireSteps): Promise<FireAnswer[]> {
  const locked = await steps.lock(fires.map(({ name }) => name));
  if (locked.length === 0) return answersOf(planFires(fires, [], []), [], []);
  const planned = planFires(fires, locked, await steps.see(jobIdsFor(fires, locked)));
  const toCancel = planned.flatMap(({ cancelId }) => cancelId ?? []).toSorted();
  const cancelled = toCancel.length === 0 ? [] : await steps.cancel(toCancel);
  const plans = afterCancel(planned, cancelled);
  const toMake = plans.flatMap((plan) => plan.jobs.map(({ job }) => job));
  const made = toMake.length === 0 ? [] : await steps.insert(toMake);
  const changes = plans.flatMap(({ change }) => change ?? []);
  if (changes.length > 0) await steps.write(changes);
  return answersOf(plans, made, cancelled);
}

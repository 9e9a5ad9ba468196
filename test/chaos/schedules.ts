import type { RunTimeScheduleSpec } from 'nestjs-typeorm-jobs';
import { KINDS, type JobPlan } from './behaviors.js';

/** A schedule of the workload, and how its jobs behave. */
export interface SchedulePlan {
  readonly name: string;
  readonly everyMs: number;
  /** Whether each tick must have a job, however late. The others may pass ticks over. */
  readonly isComplete: boolean;
  readonly plan: JobPlan;
}

/** Every tick makes its job: also one that comes late, and one whose predecessor has not ended. */
const COMPLETE = { missed: 'all', overlap: 'allow' } as const;

/** Declared by the workers' code. */
export const BEAT: SchedulePlan = {
  name: 'beat',
  everyMs: 1_000,
  isComplete: true,
  plan: { kind: 'fast', ms: 0, effect: true },
};
/** The same, and with the default options: it passes over what was missed, and what meets the last job. */
export const CRAWL: SchedulePlan = {
  name: 'crawl',
  everyMs: 1_500,
  isComplete: false,
  plan: { kind: 'slow', ms: 400, effect: true },
};

/** Made at run time, by each enqueuer whenever it starts. */
export function runTimeSchedule(enqueuer: string): SchedulePlan {
  return {
    name: `${enqueuer}'s "ticks"; -- 💥`,
    everyMs: 1_000,
    isComplete: true,
    plan: { kind: 'retrying', ms: 5, failures: 1, effect: true },
  };
}

/** What `upsert` or `@JobSchedule` is given. */
export function specOf({ everyMs, isComplete, plan }: SchedulePlan): RunTimeScheduleSpec {
  return { everyMs, kind: KINDS[plan.kind], payload: { plan }, ...(isComplete && COMPLETE) };
}

export const SCHEDULES: readonly SchedulePlan[] = [BEAT, CRAWL, runTimeSchedule('e1'), runTimeSchedule('e2')];

export function scheduleNamed(name: string): SchedulePlan | undefined {
  return SCHEDULES.find((schedule) => schedule.name === name);
}

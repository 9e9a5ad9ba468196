import type { ScheduleRow } from '../records.js';
import { scheduleNamed } from '../schedules.js';
import type { JobTimeline, Timelines } from '../timeline.js';
import type { Invariant } from './violations.js';

const INVARIANT = 'I13';
/** The database rounds to milliseconds. */
const SLACK_MS = 5;

/**
 * I13: a tick of a schedule has one job, which is not made before its time. Where a schedule wants each tick, none is
 * missing from its first one up to the end of the faults, or up to its last job if that is later.
 */
export const ticksHaveOneJob: Invariant = (times) => {
  const made = jobsBySchedule(times);
  const rows = new Map(times.history.schedules.map((row) => [row.name, row]));
  return [...new Set([...made.keys(), ...rows.keys()])].flatMap((name) => {
    const row = rows.get(name);
    const jobs = made.get(name) ?? [];
    if (row === undefined)
      return [{ invariant: INVARIANT, message: `${name}: has ${jobs.length} jobs, and is not there` }];
    return [...jobs.flatMap((job) => problemsOf(job, row)), ...doubles(jobs), ...holes(jobs, row, times)];
  });
};

function jobsBySchedule({ jobs }: Timelines): Map<string, JobTimeline[]> {
  const all = new Map<string, JobTimeline[]>();
  for (const job of jobs.values()) {
    const { schedule } = job.row ?? {};
    if (schedule !== undefined) all.set(schedule, [...(all.get(schedule) ?? []), job]);
  }
  return all;
}

function problemsOf({ id, row, audit }: JobTimeline, { name, anchorAt }: ScheduleRow) {
  const tick = row!.tick!;
  const violation = (message: string) => ({ invariant: INVARIANT, job: id, message: `${name}: ${message}` });
  const { everyMs } = scheduleNamed(name)!;
  const isTick = tick > anchorAt && (tick - anchorAt) % everyMs === 0;
  const madeAt = audit.find(({ before }) => before === undefined)?.at ?? Infinity;
  return [
    ...(isTick ? [] : [violation(`is for ${timeOf(tick)}, which is no tick of it`)]),
    ...(madeAt >= tick - SLACK_MS
      ? []
      : [violation(`was made ${(tick - madeAt).toFixed(0)} ms before its tick`)]),
  ];
}

function doubles(jobs: readonly JobTimeline[]) {
  const first = new Map<number, string>();
  return jobs.flatMap(({ id, row }) => {
    const tick = row!.tick!;
    const other = first.get(tick);
    if (other === undefined) first.set(tick, id);
    if (other === undefined) return [];
    return [{ invariant: INVARIANT, job: id, message: `is for the same tick as ${other}` }];
  });
}

function holes(jobs: readonly JobTimeline[], { name, anchorAt }: ScheduleRow, { history }: Timelines) {
  const { everyMs, isComplete } = scheduleNamed(name)!;
  if (!isComplete) return [];
  const made = new Set(jobs.map(({ row }) => row!.tick!));
  const until = Math.max(history.healedAt, ...made);
  const missing: number[] = [];
  for (let tick = anchorAt + everyMs; tick <= until; tick += everyMs) if (!made.has(tick)) missing.push(tick);
  if (missing.length === 0) return [];
  const message = `${name}: ${missing.length} ticks have no job; the first is ${timeOf(missing[0]!)}`;
  return [{ invariant: INVARIANT, message }];
}

function timeOf(instant: number): string {
  return new Date(instant).toISOString();
}

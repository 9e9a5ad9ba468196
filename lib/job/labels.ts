import type { EncodedJob } from './encode-job.js';
import { decodeSettings, type StoredSettings } from './settings.js';

/** No tag begins with a blank. */
const SCHEDULE = ' schedule:';

/** Something that a job is found by. */
export interface JobLabel {
  readonly label: string;
  readonly jobId: string;
}

/** What the jobs of a schedule are found by. */
export function scheduleLabel(name: string): string {
  return `${SCHEDULE}${name}`;
}

/** What a job with these settings is found by: its tags, and the schedule that made it. */
export function labelsOf({ tags = [], schedule }: Pick<StoredSettings, 'tags' | 'schedule'>): string[] {
  return schedule === undefined ? [...tags] : [...tags, scheduleLabel(schedule)];
}

/** A text that is in the settings of each job with this label, as they are stored. */
export function settingsTextOf(label: string): string {
  if (!label.startsWith(SCHEDULE)) return JSON.stringify(label);
  return `"schedule":${JSON.stringify(label.slice(SCHEDULE.length))}`;
}

/** The labels of new jobs. Most have no settings, and so none. */
export function labelsOfJobs(jobs: readonly Pick<EncodedJob, 'id' | 'settings'>[]): JobLabel[] {
  const labels: JobLabel[] = [];
  for (const { id, settings } of jobs) {
    if (settings === null) continue;
    for (const label of labelsOf(decodeSettings(settings))) labels.push({ label, jobId: id });
  }
  return labels;
}

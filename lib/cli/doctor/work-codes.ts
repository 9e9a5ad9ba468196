import type { Finding } from '../../queue/inspector.js';

/** What the doctor finds about jobs, workers and schedules. docs/cli.md has a row for each. */
export const WORK_CODES = [
  'no-worker',
  'kind-without-worker',
  'backlog-old',
  'leases-expired',
  'schedule-overdue',
  'schedule-unreadable',
  'pause-forgotten',
  'releases-differ',
  'time-zone-data-missing',
  'time-zone-data-differs',
  'event-loop-blocked',
  'synchronize-on',
  'pool-small',
] as const;

export type WorkCode = (typeof WORK_CODES)[number];

export type WorkFinding = Finding<WorkCode>;

import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';

/*
 * One row for each schedule. `next_at` is NULL where it has no further tick; `queued_tick` is one that waits for the last
 * job to end.
 */
export const schedules = (jobs: JobsTable): StepPart => {
  const { name, quoted } = sideTable(jobs, 'schedules');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         name text NOT NULL,
         kind text NOT NULL,
         rule text NOT NULL,
         payload text,
         anchor_at datetime NOT NULL,
         next_at datetime,
         queued_tick datetime,
         last_tick datetime,
         last_job_id text,
         skipped integer NOT NULL DEFAULT 0,
         skipped_in_row integer NOT NULL DEFAULT 0,
         catch_up text,
         paused_at datetime,
         paused_reason text,
         declared_at datetime,
         declared_by text,
         seen_at datetime,
         revision integer NOT NULL DEFAULT 1,
         created_at datetime NOT NULL,
         updated_at datetime NOT NULL,
         PRIMARY KEY (name)
       )`,
      `CREATE INDEX IF NOT EXISTS "${name}_next" ON ${quoted} (next_at) WHERE paused_at IS NULL AND next_at IS NOT NULL`,
      `CREATE INDEX IF NOT EXISTS "${name}_queued" ON ${quoted} (queued_tick) WHERE queued_tick IS NOT NULL`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

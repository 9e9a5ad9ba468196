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
         name varchar(255) COLLATE "C" NOT NULL,
         kind varchar(255) COLLATE "C" NOT NULL,
         rule json NOT NULL,
         payload json,
         anchor_at timestamptz NOT NULL,
         next_at timestamptz,
         queued_tick timestamptz,
         last_tick timestamptz,
         last_job_id varchar(255) COLLATE "C",
         skipped bigint NOT NULL DEFAULT 0,
         skipped_in_row bigint NOT NULL DEFAULT 0,
         catch_up varchar(4),
         paused_at timestamptz,
         paused_reason text,
         declared_at timestamptz,
         declared_by varchar(255),
         seen_at timestamptz,
         revision integer NOT NULL DEFAULT 1,
         created_at timestamptz NOT NULL DEFAULT now(),
         updated_at timestamptz NOT NULL DEFAULT now(),
         CONSTRAINT "${name}_pkey" PRIMARY KEY (name)
       ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
      `CREATE INDEX IF NOT EXISTS "${name}_next" ON ${quoted} (next_at) WHERE paused_at IS NULL AND next_at IS NOT NULL`,
      `CREATE INDEX IF NOT EXISTS "${name}_queued" ON ${quoted} (queued_tick) WHERE queued_tick IS NOT NULL`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

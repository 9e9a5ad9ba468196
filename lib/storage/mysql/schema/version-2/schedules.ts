import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';
import { SIDE_TABLE_OPTIONS } from './side-table-options.js';

/*
 * One row for each schedule. `next_at` is NULL where it has no further tick, and `due_at` where it is paused as well;
 * `queued_tick` is one that waits for the last job to end.
 */
export const schedules = (jobs: JobsTable): StepPart => {
  const { name, quoted } = sideTable(jobs, 'schedules');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         name varchar(255) NOT NULL,
         kind varchar(255) NOT NULL,
         rule longtext NOT NULL,
         payload longtext,
         anchor_at datetime(6) NOT NULL,
         next_at datetime(6),
         queued_tick datetime(6),
         last_tick datetime(6),
         last_job_id varchar(255),
         skipped bigint NOT NULL DEFAULT 0,
         skipped_in_row bigint NOT NULL DEFAULT 0,
         catch_up varchar(4),
         paused_at datetime(6),
         paused_reason longtext,
         declared_at datetime(6),
         declared_by varchar(255),
         seen_at datetime(6),
         revision int NOT NULL DEFAULT 1,
         created_at datetime(6) NOT NULL,
         updated_at datetime(6) NOT NULL,
         due_at datetime(6) GENERATED ALWAYS AS (IF(paused_at IS NULL, next_at, NULL)) STORED,
         PRIMARY KEY (name),
         KEY \`${name}_due\` (due_at),
         KEY \`${name}_queued\` (queued_tick)
       ) ${SIDE_TABLE_OPTIONS}`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable, type SideTable } from '../../../sql/side-tables.js';
import { SIDE_TABLE_OPTIONS } from './side-table-options.js';

/* What operators say of kinds, and what is told of jobs and workers. */
export const control = (jobs: JobsTable): StepPart => {
  const quoted = (suffix: SideTable) => sideTable(jobs, suffix).quoted;
  return {
    up: [
      // The tags of jobs, and the schedules that made them: by these they are found, and by job they are deleted.
      `CREATE TABLE IF NOT EXISTS ${quoted('labels')} (
         label varchar(255) NOT NULL,
         job_id varchar(255) NOT NULL,
         PRIMARY KEY (label, job_id),
         KEY \`${sideTable(jobs, 'labels').name}_job\` (job_id)
       ) ${SIDE_TABLE_OPTIONS}`,
      // What an operator says of a kind.
      `CREATE TABLE IF NOT EXISTS ${quoted('controls')} (
         kind varchar(255) NOT NULL,
         group_key varchar(255) NOT NULL,
         paused_at datetime(6),
         paused_until datetime(6),
         reason longtext,
         stops_running tinyint NOT NULL DEFAULT 0,
         changed bigint NOT NULL,
         PRIMARY KEY (kind, group_key)
       ) ${SIDE_TABLE_OPTIONS}`,
      // Live workers, and which controls they obey.
      `CREATE TABLE IF NOT EXISTS ${quoted('workers')} (
         id varchar(255) NOT NULL,
         started_at datetime(6) NOT NULL,
         seen_at datetime(6) NOT NULL,
         controls_seen bigint NOT NULL DEFAULT 0,
         about longtext NOT NULL,
         PRIMARY KEY (id)
       ) ${SIDE_TABLE_OPTIONS}`,
      // What a worker has counted in so many minutes, 1 or 60, from this one on.
      `CREATE TABLE IF NOT EXISTS ${quoted('minutes')} (
         span smallint NOT NULL,
         minute datetime(6) NOT NULL,
         kind varchar(255) NOT NULL,
         worker varchar(255) NOT NULL,
         counts longtext NOT NULL,
         ${COUNTERS},
         PRIMARY KEY (span, minute, kind, worker)
       ) ${SIDE_TABLE_OPTIONS}`,
    ],
    down: TABLES.map((suffix) => `DROP TABLE IF EXISTS ${quoted(suffix)}`),
  };
};

const TABLES = ['labels', 'controls', 'workers', 'minutes'] as const;

/* Of their own, so that sums need not take the JSON of each row apart. */
const COUNTERS = ['done', 'failed', 'panicked', 'retried', 'cancelled']
  .map((name) => `${name} int GENERATED ALWAYS AS (COALESCE(JSON_EXTRACT(counts, '$.${name}'), 0)) STORED`)
  .join(', ');

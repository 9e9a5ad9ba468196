import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable, type SideTable } from '../../../sql/side-tables.js';

/* What operators say of kinds, and what is told of jobs and workers. */
export const control = (jobs: JobsTable): StepPart => {
  const quoted = (suffix: SideTable) => sideTable(jobs, suffix).quoted;
  const key = (suffix: SideTable) => `CONSTRAINT "${sideTable(jobs, suffix).name}_pkey" PRIMARY KEY`;
  return {
    up: [
      // The tags of jobs, and the schedules that made them: by these they are found, and by job they are deleted.
      `CREATE TABLE IF NOT EXISTS ${quoted('labels')} (
         label varchar(255) COLLATE "C" NOT NULL,
         job_id varchar(255) COLLATE "C" NOT NULL,
         ${key('labels')} (label, job_id)
       ) ${STORAGE}`,
      `CREATE INDEX IF NOT EXISTS "${sideTable(jobs, 'labels').name}_job" ON ${quoted('labels')} (job_id)`,
      // What an operator says of a kind.
      `CREATE TABLE IF NOT EXISTS ${quoted('controls')} (
         kind varchar(255) COLLATE "C" NOT NULL,
         group_key varchar(255) COLLATE "C" NOT NULL,
         paused_at timestamptz,
         paused_until timestamptz,
         reason text,
         stops_running boolean NOT NULL DEFAULT false,
         changed bigint NOT NULL,
         ${key('controls')} (kind, group_key)
       ) ${STORAGE}`,
      // Live workers, and which controls they obey.
      `CREATE TABLE IF NOT EXISTS ${quoted('workers')} (
         id varchar(255) COLLATE "C" NOT NULL,
         started_at timestamptz NOT NULL,
         seen_at timestamptz NOT NULL,
         controls_seen bigint NOT NULL DEFAULT 0,
         about json NOT NULL,
         ${key('workers')} (id)
       ) ${STORAGE}`,
      // What a worker has counted in so many minutes, 1 or 60, from this one on.
      `CREATE TABLE IF NOT EXISTS ${quoted('minutes')} (
         span smallint NOT NULL,
         minute timestamptz NOT NULL,
         kind varchar(255) COLLATE "C" NOT NULL,
         worker varchar(255) COLLATE "C" NOT NULL,
         counts json NOT NULL,
         ${COUNTERS},
         ${key('minutes')} (span, minute, kind, worker)
       ) ${STORAGE}`,
    ],
    down: TABLES.map((suffix) => `DROP TABLE IF EXISTS ${quoted(suffix)}`),
  };
};

const TABLES = ['labels', 'controls', 'workers', 'minutes'] as const;

/* Of their own, so that sums need not take the JSON of each row apart. */
const COUNTERS = ['done', 'failed', 'panicked', 'retried', 'cancelled']
  .map((name) => `${name} int GENERATED ALWAYS AS (coalesce((counts ->> '${name}')::int, 0)) STORED`)
  .join(', ');

/* By absolute numbers, as the jobs table. */
const STORAGE = 'WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)';

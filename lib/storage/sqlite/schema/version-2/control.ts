import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable, type SideTable } from '../../../sql/side-tables.js';

/* What operators say of kinds, and what is told of jobs and workers. */
export const control = (jobs: JobsTable): StepPart => {
  const quoted = (suffix: SideTable) => sideTable(jobs, suffix).quoted;
  return {
    up: [
      // The tags of jobs, and the schedules that made them: by these they are found, and by job they are deleted.
      `CREATE TABLE IF NOT EXISTS ${quoted('labels')} (
         label text NOT NULL,
         job_id text NOT NULL,
         PRIMARY KEY (label, job_id)
       )`,
      `CREATE INDEX IF NOT EXISTS "${sideTable(jobs, 'labels').name}_job" ON ${quoted('labels')} (job_id)`,
      // What an operator says of a kind.
      `CREATE TABLE IF NOT EXISTS ${quoted('controls')} (
         kind text NOT NULL,
         group_key text NOT NULL,
         paused_at datetime,
         paused_until datetime,
         reason text,
         stops_running integer NOT NULL DEFAULT 0,
         changed integer NOT NULL,
         PRIMARY KEY (kind, group_key)
       )`,
      // Live workers, and which controls they obey.
      `CREATE TABLE IF NOT EXISTS ${quoted('workers')} (
         id text NOT NULL,
         started_at datetime NOT NULL,
         seen_at datetime NOT NULL,
         controls_seen integer NOT NULL DEFAULT 0,
         about text NOT NULL,
         PRIMARY KEY (id)
       )`,
      // What a worker has counted in so many minutes, 1 or 60, from this one on.
      `CREATE TABLE IF NOT EXISTS ${quoted('minutes')} (
         span integer NOT NULL,
         minute datetime NOT NULL,
         kind text NOT NULL,
         worker text NOT NULL,
         counts text NOT NULL,
         ${COUNTERS},
         PRIMARY KEY (span, minute, kind, worker)
       )`,
    ],
    down: TABLES.map((suffix) => `DROP TABLE IF EXISTS ${quoted(suffix)}`),
  };
};

const TABLES = ['labels', 'controls', 'workers', 'minutes'] as const;

/* Of their own, so that sums need not take the JSON of each row apart. */
const COUNTERS = ['done', 'failed', 'panicked', 'retried', 'cancelled']
  .map((name) => `${name} integer GENERATED ALWAYS AS (coalesce(counts ->> '${name}', 0)) STORED`)
  .join(', ');

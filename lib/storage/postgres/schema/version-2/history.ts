import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable, type SideTable } from '../../../sql/side-tables.js';

/* What has happened: attempts, what handlers have logged, and events. */
export const history = (jobs: JobsTable): StepPart => {
  const quoted = (suffix: SideTable) => sideTable(jobs, suffix).quoted;
  const key = (suffix: SideTable) => `CONSTRAINT "${sideTable(jobs, suffix).name}_pkey" PRIMARY KEY`;
  return {
    up: [
      // Attempts that did not simply succeed.
      `CREATE TABLE IF NOT EXISTS ${quoted('attempts')} (
         job_id varchar(255) COLLATE "C" NOT NULL,
         attempt integer NOT NULL,
         worker varchar(255),
         started_at timestamptz,
         ended_at timestamptz NOT NULL,
         outcome varchar(9) NOT NULL,
         error text,
         next_at timestamptz,
         ${key('attempts')} (job_id, attempt)
       ) ${STORAGE}`,
      // What handlers have logged.
      `CREATE TABLE IF NOT EXISTS ${quoted('logs')} (
         job_id varchar(255) COLLATE "C" NOT NULL,
         attempt integer NOT NULL,
         line integer NOT NULL,
         logged_at timestamptz NOT NULL,
         level varchar(7) NOT NULL,
         entry text NOT NULL,
         ${key('logs')} (job_id, attempt, line)
       ) ${STORAGE}`,
      // What has happened, while a listener wants to hear of it.
      `CREATE TABLE IF NOT EXISTS ${quoted('events')} (
         seq bigint GENERATED ALWAYS AS IDENTITY,
         happened_at timestamptz NOT NULL DEFAULT now(),
         type varchar(32) NOT NULL,
         kind varchar(255) COLLATE "C" NOT NULL,
         event json NOT NULL,
         ${key('events')} (seq)
       ) ${STORAGE}`,
      // Who wants to hear of events, and of which.
      `CREATE TABLE IF NOT EXISTS ${quoted('listeners')} (
         id varchar(255) COLLATE "C" NOT NULL,
         wanted json NOT NULL,
         seen_at timestamptz NOT NULL,
         ${key('listeners')} (id)
       ) ${STORAGE}`,
    ],
    down: TABLES.map((suffix) => `DROP TABLE IF EXISTS ${quoted(suffix)}`),
  };
};

const TABLES = ['attempts', 'logs', 'events', 'listeners'] as const;

/* By absolute numbers, as the jobs table. */
const STORAGE = 'WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)';

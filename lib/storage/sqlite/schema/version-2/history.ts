import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable, type SideTable } from '../../../sql/side-tables.js';

/* What has happened: attempts, what handlers have logged, and events. */
export const history = (jobs: JobsTable): StepPart => {
  const quoted = (suffix: SideTable) => sideTable(jobs, suffix).quoted;
  return {
    up: [
      // Attempts that did not simply succeed.
      `CREATE TABLE IF NOT EXISTS ${quoted('attempts')} (
         job_id text NOT NULL,
         attempt integer NOT NULL,
         worker text,
         started_at datetime,
         ended_at datetime NOT NULL,
         outcome text NOT NULL,
         error text,
         next_at datetime,
         PRIMARY KEY (job_id, attempt)
       )`,
      // What handlers have logged.
      `CREATE TABLE IF NOT EXISTS ${quoted('logs')} (
         job_id text NOT NULL,
         attempt integer NOT NULL,
         line integer NOT NULL,
         logged_at datetime NOT NULL,
         level text NOT NULL,
         entry text NOT NULL,
         PRIMARY KEY (job_id, attempt, line)
       )`,
      // What has happened, while a listener wants to hear of it.
      `CREATE TABLE IF NOT EXISTS ${quoted('events')} (
         seq integer PRIMARY KEY AUTOINCREMENT, -- no number comes twice, also where all rows have been deleted
         happened_at datetime NOT NULL,
         type text NOT NULL,
         kind text NOT NULL,
         event text NOT NULL
       )`,
      // Who wants to hear of events, and of which.
      `CREATE TABLE IF NOT EXISTS ${quoted('listeners')} (
         id text NOT NULL,
         wanted text NOT NULL,
         seen_at datetime NOT NULL,
         PRIMARY KEY (id)
       )`,
    ],
    down: TABLES.map((suffix) => `DROP TABLE IF EXISTS ${quoted(suffix)}`),
  };
};

const TABLES = ['attempts', 'logs', 'events', 'listeners'] as const;

import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable, type SideTable } from '../../../sql/side-tables.js';
import { SIDE_TABLE_OPTIONS } from './side-table-options.js';

/* What has happened: attempts, what handlers have logged, and events. */
export const history = (jobs: JobsTable): StepPart => {
  const quoted = (suffix: SideTable) => sideTable(jobs, suffix).quoted;
  return {
    up: [
      // Attempts that did not simply succeed.
      `CREATE TABLE IF NOT EXISTS ${quoted('attempts')} (
         job_id varchar(255) NOT NULL,
         attempt int NOT NULL,
         worker varchar(255),
         started_at datetime(6),
         ended_at datetime(6) NOT NULL,
         outcome varchar(9) NOT NULL,
         error longtext,
         next_at datetime(6),
         PRIMARY KEY (job_id, attempt)
       ) ${SIDE_TABLE_OPTIONS}`,
      // What handlers have logged.
      `CREATE TABLE IF NOT EXISTS ${quoted('logs')} (
         job_id varchar(255) NOT NULL,
         attempt int NOT NULL,
         line int NOT NULL,
         logged_at datetime(6) NOT NULL,
         level varchar(7) NOT NULL,
         entry longtext NOT NULL,
         PRIMARY KEY (job_id, attempt, line)
       ) ${SIDE_TABLE_OPTIONS}`,
      // What has happened, while a listener wants to hear of it.
      `CREATE TABLE IF NOT EXISTS ${quoted('events')} (
         seq bigint NOT NULL AUTO_INCREMENT,
         happened_at datetime(6) NOT NULL,
         type varchar(32) NOT NULL,
         kind varchar(255) NOT NULL,
         event longtext NOT NULL,
         PRIMARY KEY (seq)
       ) ${SIDE_TABLE_OPTIONS}`,
      // Who wants to hear of events, and of which.
      `CREATE TABLE IF NOT EXISTS ${quoted('listeners')} (
         id varchar(255) NOT NULL,
         wanted longtext NOT NULL,
         seen_at datetime(6) NOT NULL,
         PRIMARY KEY (id)
       ) ${SIDE_TABLE_OPTIONS}`,
    ],
    down: TABLES.map((suffix) => `DROP TABLE IF EXISTS ${quoted(suffix)}`),
  };
};

const TABLES = ['attempts', 'logs', 'events', 'listeners'] as const;

import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';

/*
 * Which job holds a unique key. Only enqueues and a sweep touch these rows, and no worker does. A unique index on the jobs
 * table would make claims and settlements wait for the transactions of users.
 */
export const keys = (jobs: JobsTable): StepPart => {
  const { quoted } = sideTable(jobs, 'keys');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         kind text NOT NULL,
         unique_key text NOT NULL,
         job_id text NOT NULL,
         held_while text NOT NULL,
         until datetime,
         PRIMARY KEY (kind, unique_key)
       )`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';
import { SIDE_TABLE_OPTIONS } from './side-table-options.js';

/*
 * Which job holds a unique key. Only enqueues and a sweep touch these rows, and no worker does. A unique index on the jobs
 * table would make claims and settlements wait for the transactions of users.
 */
export const keys = (jobs: JobsTable): StepPart => {
  const { quoted } = sideTable(jobs, 'keys');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         kind varchar(255) NOT NULL,
         unique_key varchar(255) NOT NULL,
         job_id varchar(255) NOT NULL,
         held_while varchar(9) NOT NULL,
         until datetime(6),
         PRIMARY KEY (kind, unique_key)
       ) ${SIDE_TABLE_OPTIONS}`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

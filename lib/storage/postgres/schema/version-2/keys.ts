import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';

/*
 * Which job holds a unique key. Only enqueues and a sweep touch these rows, and no worker does. A unique index on the jobs
 * table would make claims and settlements wait for the transactions of users.
 */
export const keys = (jobs: JobsTable): StepPart => {
  const { name, quoted } = sideTable(jobs, 'keys');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         kind varchar(255) COLLATE "C" NOT NULL,
         unique_key varchar(255) COLLATE "C" NOT NULL,
         job_id varchar(255) COLLATE "C" NOT NULL,
         held_while varchar(9) NOT NULL,
         until timestamptz,
         CONSTRAINT "${name}_pkey" PRIMARY KEY (kind, unique_key)
       ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

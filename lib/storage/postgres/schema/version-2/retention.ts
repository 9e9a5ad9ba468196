import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';

/* One row for each chore that one worker of the cluster does at a time, how far it has come, and when it is due again. */
export const retention = (jobs: JobsTable): StepPart => {
  const { name, quoted } = sideTable(jobs, 'chores');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         name varchar(255) COLLATE "C" NOT NULL,
         held_by varchar(255),
         held_until timestamptz,
         reached text,
         done_at timestamptz,
         due_at timestamptz,
         CONSTRAINT "${name}_pkey" PRIMARY KEY (name)
       ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';
import { SIDE_TABLE_OPTIONS } from './side-table-options.js';

/* One row for each chore that one worker of the cluster does at a time, how far it has come, and when it is due again. */
export const retention = (jobs: JobsTable): StepPart => {
  const { quoted } = sideTable(jobs, 'chores');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         name varchar(255) NOT NULL,
         held_by varchar(255),
         held_until datetime(6),
         reached longtext,
         done_at datetime(6),
         due_at datetime(6),
         PRIMARY KEY (name)
       ) ${SIDE_TABLE_OPTIONS}`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

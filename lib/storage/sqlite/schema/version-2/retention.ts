import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';

/* One row for each chore that one worker of the cluster does at a time, how far it has come, and when it is due again. */
export const retention = (jobs: JobsTable): StepPart => {
  const { quoted } = sideTable(jobs, 'chores');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         name text NOT NULL,
         held_by text,
         held_until datetime,
         reached text,
         done_at datetime,
         due_at datetime,
         PRIMARY KEY (name)
       )`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

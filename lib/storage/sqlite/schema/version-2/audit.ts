import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';

/* What people have done to jobs by hand. A row is written as an action begins, and again when it has ended. */
export const audit = (jobs: JobsTable): StepPart => {
  const { quoted } = sideTable(jobs, 'audit');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         seq integer PRIMARY KEY AUTOINCREMENT,
         began_at datetime NOT NULL,
         who text NOT NULL,
         action text NOT NULL,
         target text NOT NULL,
         changed integer,
         problem text
       )`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

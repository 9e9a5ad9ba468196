import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';
import { SIDE_TABLE_OPTIONS } from './side-table-options.js';

/* What people have done to jobs by hand. A row is written as an action begins, and again when it has ended. */
export const audit = (jobs: JobsTable): StepPart => {
  const { quoted } = sideTable(jobs, 'audit');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         seq bigint NOT NULL AUTO_INCREMENT,
         began_at datetime(6) NOT NULL,
         who longtext NOT NULL,
         action varchar(32) NOT NULL,
         target longtext NOT NULL,
         changed bigint,
         problem longtext,
         PRIMARY KEY (seq)
       ) ${SIDE_TABLE_OPTIONS}`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

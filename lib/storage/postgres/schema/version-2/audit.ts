import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { sideTable } from '../../../sql/side-tables.js';

/* What people have done to jobs by hand. A row is written as an action begins, and again when it has ended. */
export const audit = (jobs: JobsTable): StepPart => {
  const { name, quoted } = sideTable(jobs, 'audit');
  return {
    up: [
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         seq bigint GENERATED ALWAYS AS IDENTITY,
         began_at timestamptz NOT NULL DEFAULT now(),
         who text NOT NULL,
         action varchar(32) NOT NULL,
         target text NOT NULL,
         changed bigint,
         problem text,
         CONSTRAINT "${name}_pkey" PRIMARY KEY (seq)
       ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)`,
    ],
    down: [`DROP TABLE IF EXISTS ${quoted}`],
  };
};

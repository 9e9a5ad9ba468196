import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';

/* Columns that are NULL for most jobs, and so take no room in their rows. To add them changes the catalog alone. */
export const jobs = ({ quoted }: JobsTable): StepPart => ({
  up: [
    `ALTER TABLE ${quoted}
       ADD COLUMN settings json,
       ADD COLUMN progress json,
       ADD COLUMN cancel_requested_at timestamptz,
       ADD COLUMN cancel_reason text`,
  ],
  down: [
    `ALTER TABLE ${quoted}
       DROP COLUMN settings, DROP COLUMN progress, DROP COLUMN cancel_requested_at, DROP COLUMN cancel_reason`,
  ],
});

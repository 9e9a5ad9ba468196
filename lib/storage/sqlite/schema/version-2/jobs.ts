import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { commentFor } from '../../../sql/schema-version.js';

/* Columns that are NULL for most jobs. To add them changes the text of the table alone; the version stands in it. */
export const jobs = ({ quoted }: JobsTable): StepPart => ({
  up: [
    `ALTER TABLE ${quoted} ADD COLUMN settings text`,
    `ALTER TABLE ${quoted} ADD COLUMN progress text`,
    `ALTER TABLE ${quoted} ADD COLUMN cancel_requested_at datetime`,
    `ALTER TABLE ${quoted} ADD COLUMN cancel_reason /* ${commentFor(2)} */ text`,
  ],
  down: ['cancel_reason', 'cancel_requested_at', 'progress', 'settings'].map(
    (column) => `ALTER TABLE ${quoted} DROP COLUMN ${column}`,
  ),
});

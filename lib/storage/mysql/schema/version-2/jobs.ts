import type { JobsTable } from '../../../sql/dialect.js';
import type { StepPart } from '../../../sql/schema-parts.js';
import { commentFor } from '../../../sql/schema-version.js';

/*
 * Columns that are NULL for most jobs. To add them changes the dictionary alone. It is one statement with the comment: the
 * server commits each by itself, and a step that breaks off must be able to begin again.
 */
export const jobs = ({ quoted }: JobsTable): StepPart => ({
  up: [
    `ALTER TABLE ${quoted}
       ADD COLUMN settings longtext,
       ADD COLUMN progress longtext,
       ADD COLUMN cancel_requested_at datetime(6),
       ADD COLUMN cancel_reason longtext,
       COMMENT = '${commentFor(2)}'`,
  ],
  down: [
    `ALTER TABLE ${quoted}
       DROP COLUMN settings, DROP COLUMN progress, DROP COLUMN cancel_requested_at, DROP COLUMN cancel_reason,
       COMMENT = '${commentFor(1)}'`,
  ],
});

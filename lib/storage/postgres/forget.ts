import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';

/**
 * Common table expressions that delete what is stored beside the jobs of another one, `deleted`. They are looked up by an
 * array and not by a join, for which the planner would read those tables as a whole.
 */
export const forgetDeleted = (table: JobsTable): string =>
  (['attempts', 'logs', 'labels'] as const)
    .map(
      (suffix) => `without_${suffix} AS (
    DELETE FROM ${sideTable(table, suffix).quoted} WHERE job_id = ANY (ARRAY(SELECT id FROM deleted))
  )`,
    )
    .join(', ');

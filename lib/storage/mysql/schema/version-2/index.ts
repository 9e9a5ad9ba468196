import type { JobsTable } from '../../../sql/dialect.js';
import type { SchemaStep } from '../../../sql/schema-dialect.js';
import { joinParts } from '../../../sql/schema-parts.js';
import { VERSION_2_COLUMNS } from '../../../sql/columns.js';
import { audit } from './audit.js';
import { control } from './control.js';
import { history } from './history.js';
import { jobs } from './jobs.js';
import { keys } from './keys.js';
import { retention } from './retention.js';
import { schedules } from './schedules.js';

/** Schedules, unique keys, retention, control, history and the audit; a file for each. The jobs table comes last, with its comment. */
export const version2 = (table: JobsTable): SchemaStep => ({
  version: 2,
  ...joinParts([schedules, keys, retention, control, history, audit, jobs], table),
  columns: VERSION_2_COLUMNS,
});

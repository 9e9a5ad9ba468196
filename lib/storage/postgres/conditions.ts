import { payloadTextsOf, type JobConditions, type TimeSpan } from '../../job/job-conditions.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';
import { asciiText } from './ascii.js';
import { storedLabel } from './labels.js';
import { instantOf } from './parameters.js';
import type { PostgresServer } from './server.js';

/** The parameters of a statement that is put together. */
export class Parameters {
  readonly values: unknown[] = [];

  /** @returns `$3::int4` */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/** `stateOf` in SQL. No job is `blocked` yet. */
export const STATE = `CASE
    WHEN job.status <> 'PENDING' THEN lower(job.status)
    WHEN job.locked_by IS NOT NULL THEN CASE WHEN job.cancel_requested_at IS NULL THEN 'running' ELSE 'stopping' END
    WHEN job.run_at <= statement_timestamp() THEN 'ready'
    WHEN job.attempts_done > 0 THEN 'retrying'
    ELSE 'scheduled'
  END`;

/** Whether the row `job` is as the conditions say, as an expression; one that may be NULL. The ids are left to the statement. */
export function conditionsOf(
  conditions: JobConditions,
  table: JobsTable,
  server: PostgresServer,
  parameters: Parameters,
): string {
  const { kinds, states, labels = [], uniqueKey, createdAt, runAt, updatedAt, error } = conditions;
  const inDatabase = (text: string) => (server.isUnicode ? text : asciiText(text));
  const parts: string[] = [
    ...spanOf('job.created_at', createdAt, parameters),
    ...spanOf('job.run_at', runAt, parameters),
    ...spanOf('job.updated_at', updatedAt, parameters),
  ];
  if (kinds !== undefined) parts.push(`job.kind = ANY (${parameters.add(textArray(kinds), 'varchar[]')})`);
  if (states !== undefined) parts.push(`(${STATE}) = ANY (${parameters.add(textArray(states), 'text[]')})`);
  if (labels.length > 0) {
    const list = parameters.add(textArray(labels.map((label) => storedLabel(label, server))), 'varchar[]');
    parts.push(`(SELECT count(*) FROM ${sideTable(table, 'labels').quoted} AS own
      WHERE own.job_id = job.id AND own.label = ANY (${list})) = ${labels.length}`);
  }
  if (uniqueKey !== undefined)
    parts.push(holds(sideTable(table, 'keys').quoted, parameters.add(uniqueKey, 'varchar')));
  if (error !== undefined)
    parts.push(`strpos(job.last_error, ${parameters.add(inDatabase(error), 'text')}) > 0`);
  for (const text of payloadTextsOf(conditions))
    parts.push(`strpos(job.payload::text, ${parameters.add(inDatabase(text), 'text')}) > 0`);
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}

function spanOf(column: string, span: TimeSpan | undefined, parameters: Parameters): string[] {
  const end = (sign: string, ms: number | null) =>
    ms === null ? [] : [`${column} ${sign} ${parameters.add(instantOf(new Date(ms)), 'timestamptz')}`];
  return span === undefined ? [] : [...end('>', span.afterMs), ...end('<', span.beforeMs)];
}

/* One row or none, which EXISTS does not say: the planner may read the table of keys as a whole for that. */
const holds = (keys: string, key: string) => `(
    SELECT CASE held.held_while
      WHEN 'waiting' THEN job.status = 'PENDING' AND job.locked_by IS NULL AND job.attempts_done = 0
      WHEN 'unsettled' THEN job.status = 'PENDING'
      ELSE held.until > statement_timestamp()
    END
    FROM ${keys} AS held WHERE held.kind = job.kind AND held.unique_key = ${key} AND held.job_id = job.id
  )`;

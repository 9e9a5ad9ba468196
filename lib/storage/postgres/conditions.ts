import type { ConditionTexts } from '../sql/conditions.js';
import type { JobsTable } from '../sql/dialect.js';
import { part, type Part } from '../sql/part.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';
import { asciiText } from './ascii.js';
import { storedLabel } from './labels.js';
import { bind, instantOf } from './parameters.js';
import type { PostgresServer } from './server.js';

/** `stateOf` in SQL. No job is `blocked` yet. */
export const STATE = `CASE
    WHEN job.status <> 'PENDING' THEN lower(job.status)
    WHEN job.locked_by IS NOT NULL THEN CASE WHEN job.cancel_requested_at IS NULL THEN 'running' ELSE 'stopping' END
    WHEN job.run_at <= statement_timestamp() THEN 'ready'
    WHEN job.attempts_done > 0 THEN 'retrying'
    ELSE 'scheduled'
  END`;

export function conditionTexts(table: JobsTable, server: PostgresServer): ConditionTexts {
  const list = (labels: readonly string[]) =>
    bind(textArray(labels.map((label) => storedLabel(label, server))), 'varchar[]');
  const inDatabase = (text: string) => (server.isUnicode ? text : asciiText(text));
  return {
    instant: (date) => bind(instantOf(date), 'timestamptz'),
    isOfKind: (kinds) => part`job.kind = ANY (${bind(textArray(kinds), 'varchar[]')})`,
    isInState: (states) => part`(${STATE}) = ANY (${bind(textArray(states), 'text[]')})`,
    hasLabels: (labels) => part`(SELECT count(*) FROM ${sideTable(table, 'labels').quoted} AS own
      WHERE own.job_id = job.id AND own.label = ANY (${list(labels)})) = ${labels.length}`,
    holdsKey: (key) => holds(sideTable(table, 'keys').quoted, bind(key, 'varchar')),
    contains: (column, text) => part`strpos(${column}::text, ${bind(inDatabase(text), 'text')}) > 0`,
  };
}

/* One row or none, which EXISTS does not say: the planner may read the table of keys as a whole for that. */
const holds = (keys: string, key: Part) => part`(
    SELECT CASE held.held_while
      WHEN 'waiting' THEN job.status = 'PENDING' AND job.locked_by IS NULL AND job.attempts_done = 0
      WHEN 'unsettled' THEN job.status = 'PENDING'
      ELSE held.until > statement_timestamp()
    END
    FROM ${keys} AS held WHERE held.kind = job.kind AND held.unique_key = ${key} AND held.job_id = job.id
  )`;

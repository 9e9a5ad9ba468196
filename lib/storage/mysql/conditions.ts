import type { ConditionTexts } from '../sql/conditions.js';
import type { JobsTable } from '../sql/dialect.js';
import { given, part, type Part } from '../sql/part.js';
import { sideTable } from '../sql/side-tables.js';
import { instantOf, listOf } from './parameters.js';

/** `stateOf` in SQL. No job is `blocked` yet. */
export const STATE = `CASE
    WHEN job.status <> 'PENDING' THEN LOWER(job.status)
    WHEN job.locked_by IS NOT NULL THEN IF(job.cancel_requested_at IS NULL, 'running', 'stopping')
    WHEN job.run_at <= UTC_TIMESTAMP(6) THEN 'ready'
    WHEN job.attempts_done > 0 THEN 'retrying'
    ELSE 'scheduled'
  END`;

export function conditionTexts(table: JobsTable): ConditionTexts {
  const own = sideTable(table, 'labels');
  return {
    instant: (date) => given(instantOf(date)),
    isOfKind: (kinds) => part`job.kind IN (${given(listOf(kinds))})`,
    isInState: (states) => part`${STATE} IN (${given(listOf(states))})`,
    hasLabels: (labels) => part`(SELECT COUNT(*) FROM ${own.quoted} AS own FORCE INDEX (\`${own.name}_job\`)
      WHERE own.job_id = job.id AND own.label IN (${given(labels)})) = ${labels.length}`,
    holdsKey: (key) => holds(sideTable(table, 'keys').quoted, given(key)),
    contains: (column, text) => part`LOCATE(${given(text)}, ${column}) > 0`,
  };
}

const holds = (keys: string, key: Part) => part`(
    SELECT CASE held.held_while
      WHEN 'waiting' THEN job.status = 'PENDING' AND job.locked_by IS NULL AND job.attempts_done = 0
      WHEN 'unsettled' THEN job.status = 'PENDING'
      ELSE held.until > UTC_TIMESTAMP(6)
    END
    FROM ${keys} AS held WHERE held.kind = job.kind AND held.unique_key = ${key} AND held.job_id = job.id
  )`;

import type { ConditionTexts } from '../sql/conditions.js';
import type { JobsTable } from '../sql/dialect.js';
import { given, part, type Part } from '../sql/part.js';
import { sideTable } from '../sql/side-tables.js';
import { instantOf, listed } from './parameters.js';

/** `stateOf` in SQL. No job is `blocked` yet. */
export const STATE = `CASE
    WHEN job.status <> 'PENDING' THEN lower(job.status)
    WHEN job.locked_by IS NOT NULL THEN iif(job.cancel_requested_at IS NULL, 'running', 'stopping')
    WHEN job.run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now') THEN 'ready'
    WHEN job.attempts_done > 0 THEN 'retrying'
    ELSE 'scheduled'
  END`;

export function conditionTexts(table: JobsTable): ConditionTexts {
  return {
    instant: (date) => given(instantOf(date)),
    isOfKind: (kinds) => part`job.kind IN ${listed(kinds)}`,
    isInState: (states) => part`${STATE} IN ${listed(states)}`,
    hasLabels: (labels) => part`(SELECT count(*) FROM ${sideTable(table, 'labels').quoted} AS own
      WHERE own.job_id = job.id AND own.label IN ${listed(labels)}) = ${labels.length}`,
    holdsKey: (key) => holds(sideTable(table, 'keys').quoted, given(key)),
    contains: (column, text) => part`instr(${column}, ${given(text)}) > 0`,
  };
}

const holds = (keys: string, key: Part) => part`(
    SELECT CASE held.held_while
      WHEN 'waiting' THEN job.status = 'PENDING' AND job.locked_by IS NULL AND job.attempts_done = 0
      WHEN 'unsettled' THEN job.status = 'PENDING'
      ELSE held.until > strftime('%Y-%m-%d %H:%M:%f', 'now')
    END
    FROM ${keys} AS held WHERE held.kind = job.kind AND held.unique_key = ${key} AND held.job_id = job.id
  )`;

import { payloadTextsOf, type JobConditions, type TimeSpan } from '../../job/job-conditions.js';
import type { JobsTable } from '../sql/dialect.js';
import { utcText } from '../sql/instants.js';
import { sideTable } from '../sql/side-tables.js';
import { listOf } from './parameters.js';

/** A part of a statement, and its parameters. */
export interface Part {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** `stateOf` in SQL. No job is `blocked` yet. */
export const STATE = `CASE
    WHEN job.status <> 'PENDING' THEN LOWER(job.status)
    WHEN job.locked_by IS NOT NULL THEN IF(job.cancel_requested_at IS NULL, 'running', 'stopping')
    WHEN job.run_at <= UTC_TIMESTAMP(6) THEN 'ready'
    WHEN job.attempts_done > 0 THEN 'retrying'
    ELSE 'scheduled'
  END`;

/** Whether the row `job` is as the conditions say, as an expression; one that may be NULL. The ids are left to the statement. */
export function conditionsOf(conditions: JobConditions, table: JobsTable): Part {
  const { kinds, states, labels = [], uniqueKey, createdAt, runAt, updatedAt, error } = conditions;
  const labelsTable = sideTable(table, 'labels');
  const own = `(SELECT COUNT(*) FROM ${labelsTable.quoted} AS own FORCE INDEX (\`${labelsTable.name}_job\`)
      WHERE own.job_id = job.id AND own.label IN (?)) = ?`;
  const parts: readonly Part[] = [
    ...spanOf('job.created_at', createdAt),
    ...spanOf('job.run_at', runAt),
    ...spanOf('job.updated_at', updatedAt),
    ...(kinds === undefined ? [] : [{ text: 'job.kind IN (?)', parameters: [listOf(kinds)] }]),
    ...(states === undefined ? [] : [{ text: `${STATE} IN (?)`, parameters: [listOf(states)] }]),
    ...(labels.length === 0 ? [] : [{ text: own, parameters: [labels, labels.length] }]),
    ...(uniqueKey === undefined
      ? []
      : [{ text: holds(sideTable(table, 'keys').quoted), parameters: [uniqueKey] }]),
    ...(error === undefined ? [] : [{ text: 'LOCATE(?, job.last_error) > 0', parameters: [error] }]),
    ...payloadTextsOf(conditions).map((text) => ({ text: 'LOCATE(?, job.payload) > 0', parameters: [text] })),
  ];
  return {
    text: parts.length === 0 ? 'TRUE' : parts.map(({ text }) => text).join(' AND '),
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

function spanOf(column: string, span: TimeSpan | undefined): Part[] {
  const end = (sign: string, ms: number | null) =>
    ms === null ? [] : [{ text: `${column} ${sign} ?`, parameters: [utcText(ms)] }];
  return span === undefined ? [] : [...end('>', span.afterMs), ...end('<', span.beforeMs)];
}

const holds = (keys: string) => `(
    SELECT CASE held.held_while
      WHEN 'waiting' THEN job.status = 'PENDING' AND job.locked_by IS NULL AND job.attempts_done = 0
      WHEN 'unsettled' THEN job.status = 'PENDING'
      ELSE held.until > UTC_TIMESTAMP(6)
    END
    FROM ${keys} AS held WHERE held.kind = job.kind AND held.unique_key = ? AND held.job_id = job.id
  )`;

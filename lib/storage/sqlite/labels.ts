import { step, type Work } from '../../async/work.js';
import type { JobLabel } from '../../job/labels.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Query } from './connection.js';

/** Gives jobs these labels, and no others. In a transaction. @returns a function that takes the ids of the jobs */
export function relabeller(
  table: JobsTable,
): (query: Query, ids: readonly string[], labels: readonly JobLabel[]) => Work<void> {
  const { quoted } = sideTable(table, 'labels');
  const statements = { remove: removeLabels(quoted), insert: insertLabels(quoted) };
  return function* (query, ids, labels) {
    yield* step(query(statements.remove, [JSON.stringify(ids)]));
    if (labels.length > 0) yield* step(query(statements.insert, [bindLabels(labels)]));
  };
}

/** What the statements here take: labels with the jobs that they are of. */
export function bindLabels(labels: readonly JobLabel[]): string {
  return JSON.stringify(labels.map(({ label, jobId }) => [label, jobId]));
}

/* A label may be left of a job that was deleted by other means. */
export const insertLabels = (table: string) => `
  INSERT INTO ${table} (label, job_id) SELECT value ->> 0, value ->> 1 FROM json_each(?)
  WHERE true
  ON CONFLICT DO NOTHING`;

export const removeLabels = (table: string) =>
  `DELETE FROM ${table} WHERE job_id IN (SELECT value FROM json_each(?))`;

import type { JobLabel } from '../../job/labels.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';

/**
 * Gives jobs whose rows are locked these labels, and no others.
 *
 * @returns a function that takes the ids of the jobs, at least one
 */
export function relabeller(
  table: JobsTable,
): (sql: Sql, ids: readonly string[], labels: readonly JobLabel[]) => Promise<void> {
  const { name, quoted } = sideTable(table, 'labels');
  const statements = {
    find: labelsOfJob(quoted, name),
    remove: removeLabels(quoted),
    insert: insertLabels(quoted),
  };
  return async (sql, ids, labels) => {
    const wanted = new Set(labels.map(({ label, jobId }) => placeOf(label, jobId)));
    const found = await sql.query(statements.find, [ids]);
    const gone = found.filter((row) => !wanted.has(placeOf(row.label as string, row.job_id as string)));
    for (const { label, job_id } of gone) await sql.query(statements.remove, [label, job_id]);
    if (labels.length > 0) await sql.query(statements.insert, [labels.map(rowOf)]);
  };
}

/** A row of `insertLabels`. */
export function rowOf({ label, jobId }: JobLabel): unknown[] {
  return [label, jobId];
}

function placeOf(label: string, jobId: string): string {
  return `${label}\0${jobId}`; // no name has a NUL
}

/* A label may be left of a job that was deleted by other means. */
export const insertLabels = (table: string) =>
  `INSERT INTO ${table} (label, job_id) VALUES ? ON DUPLICATE KEY UPDATE job_id = job_id`;

export const labelsOfJob = (table: string, name: string) =>
  `SELECT label, job_id FROM ${table} FORCE INDEX (\`${name}_job\`) WHERE job_id IN (?)`;

export const removeLabels = (table: string) => `DELETE FROM ${table} WHERE label = ? AND job_id = ?`;

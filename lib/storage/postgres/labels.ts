import { createHash } from 'node:crypto';
import type { JobLabel } from '../../job/labels.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';
import type { PostgresServer } from './server.js';

/**
 * A label as it is stored. In a database whose encoding has not every character, a hash stands for one that is not ASCII:
 * unlike a document it cannot have escapes, which would be other labels.
 */
export function storedLabel(label: string, { isUnicode }: Pick<PostgresServer, 'isUnicode'>): string {
  if (isUnicode || /^[\0-\x7f]*$/.test(label)) return label;
  return ` sha256:${createHash('sha256').update(label).digest('hex')}`;
}

/** The parameters of `labelInserted`. */
export function bindLabels(
  labels: readonly JobLabel[],
  server: Pick<PostgresServer, 'isUnicode'>,
): [labels: string, ids: string] {
  return [
    textArray(labels.map(({ label }) => storedLabel(label, server))),
    textArray(labels.map(({ jobId }) => jobId)),
  ];
}

/**
 * A common table expression that writes the labels of the jobs of another one, `inserted`, which returns their ids: of a
 * job that could not be written there are none. A label may be left of a job that was deleted by other means.
 *
 * @param first the number of its first parameter
 */
export const labelInserted = (table: JobsTable, first: number) => `, labelled AS (
    INSERT INTO ${sideTable(table, 'labels').quoted} (label, job_id)
    SELECT given.label, inserted.id
    FROM unnest($${first}::varchar[], $${first + 1}::varchar[]) AS given(label, job_id)
    JOIN inserted ON inserted.id = given.job_id
    ON CONFLICT DO NOTHING
  )`;

/* The labels that a job keeps stay where they are: one statement cannot delete and write the same row. */
export const relabel = (table: JobsTable) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS jobs, $2::varchar[] AS labels, $3::varchar[] AS ids
  ), given AS MATERIALIZED (
    SELECT given.label, given.job_id FROM sent, unnest(sent.labels, sent.ids) AS given(label, job_id)
  ), removed AS (
    DELETE FROM ${sideTable(table, 'labels').quoted} AS own
    WHERE own.job_id = ANY ($1::varchar[])
      AND NOT EXISTS (SELECT FROM given WHERE given.label = own.label AND given.job_id = own.job_id)
  )
  INSERT INTO ${sideTable(table, 'labels').quoted} (label, job_id)
  SELECT label, job_id FROM given
  ON CONFLICT DO NOTHING`;

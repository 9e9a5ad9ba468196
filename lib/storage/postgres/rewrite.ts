import { sizeOf } from '../../job/document.js';
import type { JobChanges } from '../../queue/job-editor.js';
import { SMALL_PAYLOAD_BYTES } from '../sql/columns.js';
import type { JobsTable } from '../sql/dialect.js';
import type { EditsDialect, SeenRow } from '../sql/edits-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';
import { storedLabel } from './labels.js';
import { byteaOf, instantOf } from './parameters.js';
import type { PostgresServer } from './server.js';

export function rewriter(table: JobsTable, server: PostgresServer): EditsDialect['rewrite'] {
  const statements = { plain: rewrite(table.quoted), labelled: rewriteLabelled(table) };
  return async (sql, id, seen, { settings, labels }, changes) => {
    const parameters = bindChanges(id, seen, settings, changes);
    if (labels === null) return (await sql.query(statements.plain, parameters)).length > 0;
    const stored = textArray(labels.map((label) => storedLabel(label, server)));
    return (await sql.query(statements.labelled, [...parameters, stored])).length > 0;
  };
}

function bindChanges(
  id: string,
  seen: SeenRow,
  settings: string | null,
  { payload, payloadVersion, start, priority, maxAttempts }: JobChanges,
): unknown[] {
  const size = payload === undefined ? 0 : sizeOf(payload);
  const runAtMs = start?.runAtMs ?? null;
  return [
    ...[id, seen.settings, settings],
    ...[payload !== undefined, payload?.json ?? null, byteaOf(payload?.bytes ?? null)],
    ...[payloadVersion ?? null, size > SMALL_PAYLOAD_BYTES ? size : null],
    ...[start !== undefined, runAtMs === null ? null : instantOf(new Date(runAtMs)), start?.delayMs ?? 0],
    ...[priority ?? null, maxAttempts ?? null],
  ];
}

export const rewrite = (table: string) => `
  UPDATE ${table} AS job
  SET settings = $3::json,
      payload = CASE WHEN $4 THEN $5::json ELSE job.payload END,
      payload_bytes = CASE WHEN $4 THEN $6::bytea ELSE job.payload_bytes END,
      payload_version = coalesce($7::int4, job.payload_version),
      payload_size = CASE WHEN $4 THEN $8::int4 ELSE job.payload_size END,
      run_at = CASE WHEN $9 THEN start.run_at ELSE job.run_at END,
      due = CASE WHEN $9 THEN start.run_at <= statement_timestamp() ELSE job.due END,
      priority = coalesce($12::int4, job.priority), max_attempts = coalesce($13::int4, job.max_attempts), updated_at = now()
  FROM (SELECT coalesce($10::timestamptz, statement_timestamp() + $11::float8 * interval '1 millisecond') AS run_at) AS start
  WHERE job.id = $1 AND job.status = 'PENDING' AND job.locked_by IS NULL
    AND job.settings::text IS NOT DISTINCT FROM $2::text
  RETURNING job.id`;

/* The labels that the job keeps stay where they are: one statement cannot delete and write the same row. */
export const rewriteLabelled = (table: JobsTable) => `
  WITH rewritten AS (${rewrite(table.quoted)}
  ), removed AS (
    DELETE FROM ${sideTable(table, 'labels').quoted}
    WHERE job_id = (SELECT id FROM rewritten) AND NOT label = ANY ($14::varchar[])
  ), labelled AS (
    INSERT INTO ${sideTable(table, 'labels').quoted} (label, job_id)
    SELECT given.label, rewritten.id FROM rewritten, unnest($14::varchar[]) AS given(label)
    ON CONFLICT DO NOTHING
  )
  SELECT id FROM rewritten`;

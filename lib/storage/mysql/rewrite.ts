import type { JobChanges, JobStart } from '../../queue/job-editor.js';
import type { JobsTable } from '../sql/dialect.js';
import type { WrittenSettings } from '../sql/edits-dialect.js';
import { utcText } from '../sql/instants.js';
import { asBuffer } from '../sql/row.js';
import type { Sql } from '../sql/sql.js';
import { relabeller } from './labels.js';

/** Changes a job whose row is locked. */
export function rewriter(
  table: JobsTable,
): (sql: Sql, id: string, written: WrittenSettings, changes: JobChanges) => Promise<void> {
  const statement = rewrite(table.quoted);
  const relabel = relabeller(table);
  return async (sql, id, { settings, labels }, changes) => {
    await sql.query(statement, [...bindChanges(changes, settings), id]);
    if (labels === null) return;
    const own = labels.map((label) => ({ label, jobId: id }));
    await relabel(sql, [id], own);
  };
}

/** The parameters of `rewrite`, but for the id. */
function bindChanges(changes: JobChanges, settings: string | null): unknown[] {
  const { payload, payloadVersion, start, priority, maxAttempts } = changes;
  const isPayloadGiven = payload !== undefined;
  const isStartGiven = start !== undefined;
  return [
    settings,
    ...[isPayloadGiven, payload?.json ?? null, isPayloadGiven, asBuffer(payload?.bytes ?? null)],
    payloadVersion ?? null,
    ...[isStartGiven, ...bindStart(start), isStartGiven, ...bindStart(start)],
    ...[priority ?? null, maxAttempts ?? null],
  ];
}

/** The parameters of `START`. */
export function bindStart({ runAtMs, delayMs }: JobStart = { runAtMs: null, delayMs: 0 }): unknown[] {
  return [runAtMs === null ? null : utcText(runAtMs), delayMs * 1000];
}

export const START = `COALESCE(?, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)`;

export const rewrite = (table: string) => `
  UPDATE ${table}
  SET settings = ?, payload = IF(?, ?, payload), payload_bytes = IF(?, ?, payload_bytes),
      payload_version = COALESCE(?, payload_version),
      due = IF(?, ${START} <= UTC_TIMESTAMP(6), due), run_at = IF(?, ${START}, run_at),
      priority = COALESCE(?, priority), max_attempts = COALESCE(?, max_attempts), updated_at = UTC_TIMESTAMP(6)
  WHERE id = ?`;

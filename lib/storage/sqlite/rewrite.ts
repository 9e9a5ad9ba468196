import { finish, finishNow, step, type Work } from '../../async/work.js';
import type { JobChanges, JobStart } from '../../queue/job-editor.js';
import type { JobsTable } from '../sql/dialect.js';
import type { EditsDialect, SeenRow } from '../sql/edits-dialect.js';
import { utcText } from '../sql/instants.js';
import { asBuffer } from '../sql/row.js';
import { atOnce, type Query } from './connection.js';
import { relabeller } from './labels.js';

export function rewriter(table: JobsTable): EditsDialect['rewrite'] {
  const statement = rewrite(table.quoted);
  const relabel = relabeller(table);
  return async (sql, id, seen, { settings, labels }, changes, isJoined) => {
    const parameters = bindChanges(id, seen, settings, changes);
    if (labels === null) return (await sql.query(statement, parameters)).length > 0;
    const own = labels.map((label) => ({ label, jobId: id }));
    const both = function* (query: Query): Work<boolean> {
      if ((yield* step(query(statement, parameters))).length === 0) return false;
      yield* relabel(query, [id], own);
      return true;
    };
    return isJoined
      ? finish(both((text, given) => sql.query(text, given)))
      : atOnce(sql, (query) => finishNow(both(query)));
  };
}

function bindChanges(
  id: string,
  seen: SeenRow,
  settings: string | null,
  { payload, payloadVersion, start, priority, maxAttempts }: JobChanges,
): unknown[] {
  const isPayloadGiven = Number(payload !== undefined);
  const startOf = [Number(start !== undefined), ...bindStart(start)];
  return [
    settings,
    ...[isPayloadGiven, payload?.json ?? null, isPayloadGiven, asBuffer(payload?.bytes ?? null)],
    payloadVersion ?? null,
    ...[...startOf, ...startOf],
    ...[priority ?? null, maxAttempts ?? null],
    ...[id, seen.settings],
  ];
}

/** The parameters of `START`. */
export function bindStart({ runAtMs, delayMs }: JobStart = { runAtMs: null, delayMs: 0 }): unknown[] {
  return [runAtMs === null ? null : utcText(runAtMs), delayMs];
}

export const NOW = `strftime('%Y-%m-%d %H:%M:%f', 'now')`;
export const START = `coalesce(?, strftime('%Y-%m-%d %H:%M:%f', 'now', (? / 1000.0) || ' seconds'))`;

export const rewrite = (table: string) => `
  UPDATE ${table}
  SET settings = ?, payload = iif(?, ?, payload), payload_bytes = iif(?, ?, payload_bytes),
      payload_version = coalesce(?, payload_version),
      due = iif(?, ${START} <= ${NOW}, due), run_at = iif(?, ${START}, run_at),
      priority = coalesce(?, priority), max_attempts = coalesce(?, max_attempts), updated_at = ${NOW}
  WHERE id = ? AND status = 'PENDING' AND locked_by IS NULL AND settings IS ?
  RETURNING id`;

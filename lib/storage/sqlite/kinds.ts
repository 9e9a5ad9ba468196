import type { JobsTable } from '../sql/dialect.js';
import { CONTROL_COLUMNS, decodeControls, type ControlsDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { select } from './columns.js';
import { instantOf } from './parameters.js';

export function kinds(jobs: JobsTable): ControlsDialect {
  const controls = sideTable(jobs, 'controls').quoted;
  const statements = {
    pause: pauseKind(controls),
    resume: resumeKind(controls),
    raise: raiseChange(controls),
    controls: selectControls(controls),
    isBusy: isBusy(jobs.quoted),
  };
  return {
    pause: async (sql, kind, { until, reason, stopsRunning }) => {
      const parameters = [kind, instantOf(until), reason, stopsRunning];
      const [row] = await sql.query(statements.pause, parameters);
      return Number(row!.changed);
    },
    // The number may come later than the change: nothing waits for the end of a pause.
    resume: async (sql, kind) => {
      const rows = await sql.query(statements.resume, [kind]);
      await sql.query(statements.raise);
      return rows.some(({ was_paused }) => Boolean(was_paused));
    },
    controls: async (sql) => decodeControls(await sql.query(statements.controls)),
    isDrained: async (sql, kind) => (await sql.query(statements.isBusy, [kind, kind, kind])).length === 0,
  };
}

const NOW = `strftime('%Y-%m-%d %H:%M:%f', 'now')`;
const IS_PAUSED = `(paused_until IS NULL OR paused_until > ${NOW})`;

/* The row without a kind has the number of the last change. Both rows are written together, and one writer at a time. */
export const pauseKind = (table: string) => `
  INSERT INTO ${table} AS control (kind, group_key, paused_at, paused_until, reason, stops_running, changed)
  SELECT row.kind, '', row.paused_at, row.paused_until, row.reason, row.stops_running, last.changed + 1
  FROM (
    SELECT '' AS kind, NULL AS paused_at, NULL AS paused_until, NULL AS reason, 0 AS stops_running
    UNION ALL SELECT ?, ${NOW}, ?, ?, ?
  ) AS row, (SELECT coalesce(max(changed), 0) AS changed FROM ${table} WHERE kind = '') AS last
  WHERE true
  ON CONFLICT (kind, group_key) DO UPDATE
  SET paused_at = iif(control.paused_until <= ${NOW}, excluded.paused_at, control.paused_at),
      paused_until = excluded.paused_until, reason = excluded.reason, stops_running = excluded.stops_running,
      changed = excluded.changed
  RETURNING changed`;

export const resumeKind = (table: string) => `
  DELETE FROM ${table} WHERE kind = ? AND group_key = '' RETURNING ${IS_PAUSED} AS was_paused`;

export const raiseChange = (table: string) => `
  INSERT INTO ${table} (kind, group_key, changed) VALUES ('', '', 1)
  ON CONFLICT (kind, group_key) DO UPDATE SET changed = changed + 1`;

/* One statement sees the number and the pauses at one moment. */
export const selectControls = (table: string) => `
  SELECT ${select(CONTROL_COLUMNS)}, (unixepoch(paused_until, 'subsec') - unixepoch('now', 'subsec')) * 1000 AS left_ms,
    unixepoch('now', 'subsec') * 1000 AS now
  FROM (SELECT 1) AS one LEFT JOIN ${table} ON group_key = '' AND ${IS_PAUSED}`;

/* Each arm ends at its first row, by the indexes of ready, running and scheduled jobs. */
export const isBusy = (jobs: string) => `
  SELECT * FROM (
    SELECT 1 AS busy FROM ${jobs} WHERE kind = ? AND status = 'PENDING' AND locked_by IS NULL AND due = 1 LIMIT 1)
  UNION ALL
  SELECT * FROM (
    SELECT 1 AS busy FROM ${jobs} WHERE status = 'PENDING' AND locked_by IS NOT NULL AND kind = ? LIMIT 1)
  UNION ALL
  SELECT * FROM (
    SELECT 1 AS busy FROM ${jobs}
    WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0 AND run_at <= ${NOW} AND kind = ? LIMIT 1)`;

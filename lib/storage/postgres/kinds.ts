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
    controls: selectControls(controls),
    isBusy: isBusy(jobs.quoted),
  };
  return {
    pause: async (sql, kind, { until, reason, stopsRunning }) => {
      const [row] = await sql.query(statements.pause, [kind, instantOf(until), reason, stopsRunning]);
      return Number(row!.changed);
    },
    resume: async (sql, kind) => (await sql.query(statements.resume, [kind])).some((row) => row.was_paused),
    controls: async (sql) => decodeControls(await sql.query(statements.controls)),
    isDrained: async (sql, kind) => (await sql.query(statements.isBusy, [kind])).length === 0,
  };
}

/*
 * The row without a kind has the number of the last change. Each change locks it first, and until its commit: so changes
 * are committed in the order of their numbers.
 */
const nextChange = (table: string) => `
  INSERT INTO ${table} AS last (kind, group_key, changed) VALUES ('', '', 1)
  ON CONFLICT (kind, group_key) DO UPDATE SET changed = last.changed + 1
  RETURNING last.changed`;

const IS_PAUSED = `(paused_until IS NULL OR paused_until > clock_timestamp())`;

/* The row of the kind is written when that of the last change is locked. A row that came meanwhile is updated. */
export const pauseKind = (table: string) => `
  WITH change AS (${nextChange(table)})
  INSERT INTO ${table} AS control (kind, group_key, paused_at, paused_until, reason, stops_running, changed)
  SELECT $1, '', clock_timestamp(), $2::timestamptz, $3, $4::boolean, changed FROM change
  ON CONFLICT (kind, group_key) DO UPDATE
  SET paused_at = CASE WHEN control.paused_until IS NULL OR control.paused_until > clock_timestamp()
        THEN control.paused_at ELSE excluded.paused_at END,
      paused_until = excluded.paused_until, reason = excluded.reason, stops_running = excluded.stops_running,
      changed = excluded.changed
  RETURNING control.changed`;

export const resumeKind = (table: string) => `
  WITH change AS (${nextChange(table)})
  DELETE FROM ${table} AS control USING change
  WHERE control.kind = $1 AND control.group_key = ''
  RETURNING ${IS_PAUSED} AS was_paused`;

export const controlsNow = (table: string) => `
  SELECT ${select(CONTROL_COLUMNS)},
    (date_part('epoch', paused_until) - date_part('epoch', clock_timestamp())) * 1000 AS left_ms,
    date_part('epoch', clock_timestamp()) * 1000 AS now
  FROM (SELECT 1) AS one LEFT JOIN ${table} ON group_key = '' AND ${IS_PAUSED}`;

/* One statement sees the number and the pauses at one moment. The comment keeps pgpool from asking a standby. */
export const selectControls = (table: string) => `/*NO LOAD BALANCE*/ ${controlsNow(table)}`;

/* Each arm ends at its first row: the one of the index of ready jobs, and those that run. */
export const isBusy = (jobs: string) => `/*NO LOAD BALANCE*/
  (SELECT 1 FROM ${jobs}
   WHERE kind = $1 AND status = 'PENDING' AND locked_by IS NULL AND due ORDER BY priority, run_at, id LIMIT 1)
  UNION ALL
  (SELECT 1 FROM ${jobs} WHERE status = 'PENDING' AND locked_by IS NOT NULL AND kind = $1 LIMIT 1)
  UNION ALL
  (SELECT 1 FROM ${jobs}
   WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due AND run_at <= now() AND kind = $1 LIMIT 1)`;

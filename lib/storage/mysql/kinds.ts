import type { JobsTable } from '../sql/dialect.js';
import { CONTROL_COLUMNS, decodeControls, type ControlsDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';
import { millisOf, select } from './columns.js';
import { instantOf } from './parameters.js';
import { inOwnTransaction } from './transaction.js';

export function kinds(jobs: JobsTable): ControlsDialect {
  const controls = sideTable(jobs, 'controls').quoted;
  const statements = {
    raise: raiseChange(controls),
    change: selectChange(controls),
    pause: pauseKind(controls),
    lock: lockPause(controls),
    resume: resumeKind(controls),
    controls: selectControls(controls),
    isBusy: isBusy(jobs),
  };
  const change = <T>(sql: Sql, isJoined: boolean, write: (changed: number) => Promise<T>): Promise<T> => {
    const numbered = async () => {
      await sql.query(statements.raise);
      const [row] = await sql.query(statements.change);
      return write(Number(row!.changed));
    };
    return isJoined ? numbered() : inOwnTransaction(sql, numbered);
  };
  return {
    pause: (sql, kind, { until, reason, stopsRunning }, isJoined) =>
      change(sql, isJoined, async (changed) => {
        await sql.query(statements.pause, [kind, instantOf(until), reason, stopsRunning, changed]);
        return changed;
      }),
    resume: (sql, kind, isJoined) =>
      change(sql, isJoined, async () => {
        const [row] = await sql.query(statements.lock, [kind]);
        if (row !== undefined) await sql.query(statements.resume, [kind]);
        return Boolean(Number(row?.is_paused ?? 0));
      }),
    controls: async (sql) => decodeControls(await sql.query(statements.controls)),
    isDrained: async (sql, kind) => (await sql.query(statements.isBusy, [kind, kind, kind])).length === 0,
  };
}

/*
 * The row without a kind has the number of the last change. Each change locks it first, and until its commit: so changes
 * are committed in the order of their numbers.
 */
export const raiseChange = (table: string) => `
  INSERT INTO ${table} (kind, group_key, changed) VALUES ('', '', 1)
  ON DUPLICATE KEY UPDATE changed = changed + 1`;

export const selectChange = (table: string) =>
  `SELECT changed FROM ${table} WHERE kind = '' AND group_key = '' FOR UPDATE`;

/* Assignments are carried out from left to right. */
export const pauseKind = (table: string) => `
  INSERT INTO ${table} (kind, group_key, paused_at, paused_until, reason, stops_running, changed)
  VALUES (?, '', UTC_TIMESTAMP(6), ?, ?, ?, ?)
  ON DUPLICATE KEY UPDATE
    paused_at = IF(paused_until <= UTC_TIMESTAMP(6), VALUES(paused_at), paused_at),
    paused_until = VALUES(paused_until), reason = VALUES(reason), stops_running = VALUES(stops_running),
    changed = VALUES(changed)`;

const IS_PAUSED = `(paused_until IS NULL OR paused_until > UTC_TIMESTAMP(6))`;

export const lockPause = (table: string) =>
  `SELECT ${IS_PAUSED} AS is_paused FROM ${table} WHERE kind = ? AND group_key = '' FOR UPDATE`;

export const resumeKind = (table: string) => `DELETE FROM ${table} WHERE kind = ? AND group_key = ''`;

/* One statement sees the number and the pauses at one moment. */
export const selectControls = (table: string) => `
  SELECT ${select(CONTROL_COLUMNS)}, TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), paused_until) / 1000 AS left_ms,
    ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM (SELECT 1) AS one LEFT JOIN ${table} ON group_key = '' AND ${IS_PAUSED}`;

/* Each arm ends at its first row, by the indexes of ready, running and scheduled jobs. */
export const isBusy = ({ name, quoted }: JobsTable) => `
  (SELECT 1 AS busy FROM ${quoted} FORCE INDEX (\`${name}_ready\`) WHERE ready_kind = ? LIMIT 1)
  UNION ALL
  (SELECT 1 AS busy FROM ${quoted} FORCE INDEX (\`${name}_running\`) WHERE running = 1 AND kind = ? LIMIT 1)
  UNION ALL
  (SELECT 1 AS busy FROM ${quoted} FORCE INDEX (\`${name}_scheduled\`)
   WHERE scheduled_at <= UTC_TIMESTAMP(6) AND kind = ? LIMIT 1)`;

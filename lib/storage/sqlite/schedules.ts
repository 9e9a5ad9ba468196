import type { JobsTable } from '../sql/dialect.js';
import { decodeInstant, decodeSchedule, decodeUpcoming, SCHEDULE_COLUMNS } from '../sql/schedule-row.js';
import type { SchedulesDialect } from '../sql/schedules-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf, select } from './columns.js';
import { fire } from './schedule-fires.js';
import { scheduleWrites } from './schedule-writes.js';

export function schedules(jobsTable: JobsTable): SchedulesDialect {
  const { quoted: table } = sideTable(jobsTable, 'schedules');
  const statements = {
    look: look(table),
    list: list(table),
    existing: existing(jobsTable.quoted),
    upcoming: upcoming(table, jobsTable.quoted),
  };
  return {
    look: async (sql, names) => {
      const [row] = await sql.query(NOW);
      const rows = await sql.query(statements.look, [JSON.stringify(names)]);
      return { now: decodeInstant(row!.now)!, schedules: rows.map(decodeSchedule) };
    },
    list: async (sql, { kind = null, after = null, limit }) =>
      (await sql.query(statements.list, [kind, kind, after, after, limit])).map(decodeSchedule),
    existing: async (sql, ids) =>
      (await sql.query(statements.existing, [JSON.stringify(ids)])).map(({ id }) => id as string),
    upcoming: async (sql, { declared, except, limit }) => {
      const which = [JSON.stringify(declared), JSON.stringify(except), limit];
      return (await sql.query(statements.upcoming, [...which, ...which])).map(decodeUpcoming);
    },
    fire: fire(table, jobsTable),
    ...scheduleWrites(table),
  };
}

const NOW = `SELECT unixepoch('subsec') * 1000 AS now`;

const COLUMNS = select(SCHEDULE_COLUMNS);

export const look = (table: string) =>
  `SELECT ${COLUMNS} FROM ${table} WHERE name IN (SELECT value FROM json_each(?)) ORDER BY name`;

export const list = (table: string) => `
  SELECT ${COLUMNS} FROM ${table}
  WHERE (? IS NULL OR kind = ?) AND (? IS NULL OR name > ?)
  ORDER BY name LIMIT ?`;

export const existing = (jobs: string) =>
  `SELECT id FROM ${jobs} WHERE id IN (SELECT value FROM json_each(?))`;

/* The first part is a walk along the index of next ticks that ends at its limit. Few schedules have a queued tick. */
export const upcoming = (table: string, jobs: string) => `
  SELECT ${COLUMNS}, ${millisOf('next_at')} - unixepoch('subsec') * 1000 AS ms_until, is_queue_free
  FROM (
    SELECT * FROM (
      SELECT *, 0 AS is_queue_free FROM ${table}
      WHERE paused_at IS NULL AND next_at IS NOT NULL
        AND (declared_at IS NULL OR name IN (SELECT value FROM json_each(?)))
        AND name NOT IN (SELECT value FROM json_each(?))
      ORDER BY next_at LIMIT ?
    )
    UNION ALL
    SELECT * FROM (
      SELECT *, 1 AS is_queue_free FROM ${table} AS schedule
      WHERE paused_at IS NULL AND queued_tick IS NOT NULL
        AND (declared_at IS NULL OR name IN (SELECT value FROM json_each(?)))
        AND name NOT IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM ${jobs} AS job WHERE job.id = schedule.last_job_id AND job.status = 'PENDING')
      ORDER BY queued_tick LIMIT ?
    )
  )`;

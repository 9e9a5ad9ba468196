import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeInstant, decodeSchedule, decodeUpcoming, SCHEDULE_COLUMNS } from '../sql/schedule-row.js';
import type { SchedulesDialect } from '../sql/schedules-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf, select } from './columns.js';
import { listOf } from './parameters.js';
import { fire } from './schedule-fires.js';
import { scheduleWrites } from './schedule-writes.js';

export function schedules(
  jobsTable: JobsTable,
  jobs: Pick<JobsDialect, 'insert' | 'cancel'>,
): SchedulesDialect {
  const { quoted: table } = sideTable(jobsTable, 'schedules');
  const statements = {
    look: look(table),
    lookLocked: lookLocked(table),
    list: list(table),
    existing: existing(jobsTable.quoted),
    upcoming: upcoming(table, jobsTable.quoted),
  };
  return {
    look: async (sql, names, isJoined) => {
      const [row] = await sql.query(NOW);
      const statement = isJoined ? statements.lookLocked : statements.look;
      const rows = names.length === 0 ? [] : await sql.query(statement, [names]);
      return { now: decodeInstant(row!.now)!, schedules: rows.map(decodeSchedule) };
    },
    list: async (sql, { kind = null, after = null, limit }) =>
      (await sql.query(statements.list, [kind, kind, after, after, limit])).map(decodeSchedule),
    existing: async (sql, ids) =>
      (await sql.query(statements.existing, [listOf(ids)])).map(({ id }) => id as string),
    upcoming: async (sql, { declared, except, limit }) => {
      const which = [listOf(declared), listOf(except)];
      const parameters = [...which, limit, ...which, limit];
      return (await sql.query(statements.upcoming, parameters)).map(decodeUpcoming);
    },
    fire: fire(table, jobsTable.quoted, jobs),
    ...scheduleWrites(table),
  };
}

const NOW = `SELECT ${millisOf('UTC_TIMESTAMP(6)')} AS now`;

const COLUMNS = select(SCHEDULE_COLUMNS);

export const look = (table: string) => `SELECT ${COLUMNS} FROM ${table} WHERE name IN (?) ORDER BY name`;

/* A plain read within the transaction of a caller might go by an older snapshot. */
export const lookLocked = (table: string) =>
  `SELECT ${COLUMNS} FROM ${table} WHERE name IN (?) ORDER BY name FOR UPDATE`;

export const list = (table: string) => `
  SELECT ${COLUMNS} FROM ${table}
  WHERE (? IS NULL OR kind = ?) AND (? IS NULL OR name > ?)
  ORDER BY name LIMIT ?`;

export const existing = (jobs: string) => `SELECT id FROM ${jobs} WHERE id IN (?)`;

/* The first part is a walk along the index of next ticks that ends at its limit. Few schedules have a queued tick. */
export const upcoming = (table: string, jobs: string) => `
  SELECT ${COLUMNS}, TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), next_at) / 1000 AS ms_until, is_queue_free
  FROM (
    SELECT * FROM (
      SELECT *, 0 AS is_queue_free FROM ${table}
      WHERE due_at IS NOT NULL AND (declared_at IS NULL OR name IN (?)) AND (name IN (?)) IS NOT TRUE
      ORDER BY due_at LIMIT ?
    ) AS ticking
    UNION ALL
    SELECT * FROM (
      SELECT *, 1 AS is_queue_free FROM ${table} AS schedule
      WHERE paused_at IS NULL AND queued_tick IS NOT NULL
        AND (declared_at IS NULL OR name IN (?)) AND (name IN (?)) IS NOT TRUE
        AND NOT EXISTS (SELECT 1 FROM ${jobs} AS job WHERE job.id = schedule.last_job_id AND job.status = 'PENDING')
      ORDER BY queued_tick LIMIT ?
    ) AS queued
  ) AS upcoming
  ORDER BY is_queue_free, next_at`;

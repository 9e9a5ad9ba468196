import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeInstant, decodeSchedule, decodeUpcoming, SCHEDULE_COLUMNS } from '../sql/schedule-row.js';
import type { SchedulesDialect } from '../sql/schedules-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';
import { select } from './columns.js';
import { fire } from './schedule-fires.js';
import { scheduleWrites } from './schedule-writes.js';
import type { PostgresServer } from './server.js';

export function schedules(
  jobsTable: JobsTable,
  jobs: Pick<JobsDialect, 'insert' | 'cancel'>,
  { isUnicode }: PostgresServer,
): SchedulesDialect {
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
      const rows = names.length === 0 ? [] : await sql.query(statements.look, [textArray(names)]);
      return { now: decodeInstant(row!.now)!, schedules: rows.map(decodeSchedule) };
    },
    list: async (sql, { kind = null, after = null, limit }) =>
      (await sql.query(statements.list, [kind, after, limit])).map(decodeSchedule),
    existing: async (sql, ids) =>
      (await sql.query(statements.existing, [textArray(ids)])).map(({ id }) => id as string),
    upcoming: async (sql, { declared, except, limit }) => {
      const parameters = [textArray(declared), textArray(except), limit];
      return (await sql.query(statements.upcoming, parameters)).map(decodeUpcoming);
    },
    fire: fire(table, jobsTable.quoted, jobs),
    ...scheduleWrites(table, isUnicode),
  };
}

const NOW = `SELECT date_part('epoch', clock_timestamp()) * 1000 AS now`;

const COLUMNS = select(SCHEDULE_COLUMNS);

export const look = (table: string) => `
  /*NO LOAD BALANCE*/ SELECT ${COLUMNS} FROM ${table} WHERE name = ANY ($1::varchar[]) ORDER BY name`;

export const list = (table: string) => `
  /*NO LOAD BALANCE*/ SELECT ${COLUMNS} FROM ${table}
  WHERE ($1::varchar IS NULL OR kind = $1::varchar) AND ($2::varchar IS NULL OR name > $2::varchar)
  ORDER BY name LIMIT $3`;

export const existing = (jobs: string) =>
  `/*NO LOAD BALANCE*/ SELECT id FROM ${jobs} WHERE id = ANY ($1::varchar[])`;

/* The first part is a walk along the index of next ticks that ends at its limit. Few schedules have a queued tick. */
export const upcoming = (table: string, jobs: string) => `
  /*NO LOAD BALANCE*/ SELECT ${COLUMNS}, (date_part('epoch', next_at) - date_part('epoch', clock_timestamp())) * 1000 AS ms_until, is_queue_free::int
  FROM (
    (SELECT *, false AS is_queue_free FROM ${table}
     WHERE paused_at IS NULL AND next_at IS NOT NULL
       AND (declared_at IS NULL OR name = ANY ($1::varchar[])) AND NOT name = ANY ($2::varchar[])
     ORDER BY next_at LIMIT $3)
    UNION ALL
    (SELECT *, true AS is_queue_free FROM ${table} AS schedule
     WHERE paused_at IS NULL AND queued_tick IS NOT NULL
       AND (declared_at IS NULL OR name = ANY ($1::varchar[])) AND NOT name = ANY ($2::varchar[])
       AND NOT EXISTS (SELECT FROM ${jobs} AS job WHERE job.id = schedule.last_job_id AND job.status = 'PENDING')
     ORDER BY queued_tick LIMIT $3)
  ) AS upcoming`;

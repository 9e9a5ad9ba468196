import { INSPECTED, type InspectionBounds, type StorageFinding } from '../../queue/inspector.js';
import type { JobsTable } from '../sql/dialect.js';
import {
  decodeExpired,
  decodeOverdue,
  plainCondition,
  type FoundIndex,
  type InspectionDialect,
  type WantedIndex,
} from '../sql/inspection-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Row, Sql } from '../sql/sql.js';
import { millisOf } from './columns.js';

/** A page of 4 kB has room for some rows. */
const DEAD_ROWS_PER_PAGE = 4;

export function inspection(jobs: JobsTable): InspectionDialect {
  const statements = {
    overdue: overdueSchedules(sideTable(jobs, 'schedules').quoted),
    expired: expiredLeases(jobs.quoted),
  };
  return {
    server: async (sql) => `SQLite ${String((await sql.query(VERSION))[0]!.version)}`,
    tables: async (sql, names) =>
      (await sql.query(TABLES, [JSON.stringify(names)])).map(({ name }) => name as string),
    wantedIndexes: wantedIndexes(jobs),
    indexes: async (sql, tables) => (await sql.query(INDEXES, [JSON.stringify(tables)])).map(decodeIndex),
    faults,
    overdueSchedules: async (sql, lateMs, limit) =>
      (await sql.query(statements.overdue, [lateMs, limit])).map(decodeOverdue),
    expiredLeases: async (sql, lateMs) => decodeExpired(await sql.query(statements.expired, [lateMs])),
  };
}

const VERSION = `SELECT sqlite_version() AS version`;

const TABLES = `
  SELECT name FROM sqlite_master WHERE type = 'table' AND name COLLATE NOCASE IN (SELECT value FROM json_each(?))`;

const INDEXES = `
  SELECT tbl_name, name, sql,
    (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(master.name) ORDER BY seqno)) AS columns
  FROM sqlite_master AS master
  WHERE type = 'index' AND tbl_name COLLATE NOCASE IN (SELECT value FROM json_each(?))`;

/** Primary keys cannot be lost here. */
function wantedIndexes(jobs: JobsTable): WantedIndex[] {
  const schedules = sideTable(jobs, 'schedules');
  return [
    index(jobs, 'ready', ['kind', 'priority', 'run_at', 'id'], `${WAITING} AND due = 1`),
    index(jobs, 'scheduled', ['run_at'], `${WAITING} AND due = 0`),
    index(jobs, 'running', ['id'], `status = 'PENDING' AND locked_by IS NOT NULL`),
    index(schedules, 'next', ['next_at'], 'paused_at IS NULL AND next_at IS NOT NULL'),
    index(schedules, 'queued', ['queued_tick'], 'queued_tick IS NOT NULL'),
    index(sideTable(jobs, 'labels'), 'job', ['job_id'], null),
  ];
}

const WAITING = `status = 'PENDING' AND locked_by IS NULL`;

function index(
  table: JobsTable,
  suffix: string,
  columns: readonly string[],
  where: string | null,
): WantedIndex {
  const name = `${table.name}_${suffix}`;
  const condition = where === null ? '' : ` WHERE ${where}`;
  const statement = `CREATE INDEX "${name}" ON ${table.quoted} (${columns.join(', ')})${condition}`;
  return { table: table.name, name, columns, where, statement };
}

function decodeIndex({ tbl_name, name, sql, columns }: Row): FoundIndex {
  const condition = sql === null ? null : /\bWHERE\b([^]*)$/i.exec(sql as string);
  return {
    table: tbl_name as string,
    name: name as string,
    columns: ((columns as string | null) ?? '').split(','),
    where: condition === null ? null : plainCondition(condition[1]!),
    isUsable: true,
  };
}

const PAGES = `
  SELECT (SELECT page_count FROM pragma_page_count) AS pages, (SELECT freelist_count FROM pragma_freelist_count) AS free`;

async function faults(
  sql: Sql,
  _tables: readonly string[],
  { deadRows }: InspectionBounds,
): Promise<StorageFinding[]> {
  const [row] = await sql.query(PAGES);
  const [pages, free] = [Number(row!.pages), Number(row!.free)];
  if (free < deadRows / DEAD_ROWS_PER_PAGE || free < pages / 2) return [];
  return [
    {
      code: 'bloat',
      severity: 'warning',
      trouble: `${free} of the ${pages} pages of the file are empty.`,
      remedy:
        'VACUUM the database while no worker runs, and see that jobs are not kept for longer than they are needed.',
    },
  ];
}

export const overdueSchedules = (schedules: string) => `
  SELECT name, kind, ${millisOf('next_at')} AS next_at,
    (unixepoch('now', 'subsec') - unixepoch(next_at, 'subsec')) * 1000 AS late_ms
  FROM ${schedules}
  WHERE paused_at IS NULL AND next_at IS NOT NULL
    AND next_at < strftime('%Y-%m-%d %H:%M:%f', 'now', (-? / 1000.0) || ' seconds')
  ORDER BY next_at LIMIT ?`;

export const expiredLeases = (jobs: string) => `
  SELECT count(*) AS count, (unixepoch('now', 'subsec') - unixepoch(min(locked_until), 'subsec')) * 1000 AS longest_ms
  FROM (
    SELECT locked_until FROM ${jobs}
    WHERE status = 'PENDING' AND locked_by IS NOT NULL
      AND locked_until < strftime('%Y-%m-%d %H:%M:%f', 'now', (-? / 1000.0) || ' seconds')
    LIMIT ${INSPECTED}
  )`;

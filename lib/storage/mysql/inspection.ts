import { INSPECTED } from '../../queue/inspector.js';
import type { JobsTable } from '../sql/dialect.js';
import {
  decodeExpired,
  decodeOverdue,
  type FoundIndex,
  type InspectionDialect,
  type WantedIndex,
} from '../sql/inspection-dialect.js';
import { SIDE_TABLE_KEYS, sideTable, type SideTable } from '../sql/side-tables.js';
import type { Row, Sql } from '../sql/sql.js';
import { millisOf } from './columns.js';
import { faults } from './faults.js';

export function inspection(jobs: JobsTable): InspectionDialect {
  const statements = {
    overdue: overdueSchedules(sideTable(jobs, 'schedules').quoted),
    expired: expiredLeases(jobs.quoted),
  };
  return {
    server: async (sql) => {
      const version = String((await sql.query(VERSION))[0]!.version);
      return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${version.split('-')[0]!}`;
    },
    tables: async (sql, names) => (await sql.query(TABLES, [names])).map(({ name }) => name as string),
    wantedIndexes: wantedIndexes(jobs),
    indexes: indexesOf,
    faults: faults(jobs),
    overdueSchedules: async (sql, lateMs, limit) =>
      (await sql.query(statements.overdue, [lateMs, limit])).map(decodeOverdue),
    expiredLeases: async (sql, lateMs) => decodeExpired(await sql.query(statements.expired, [lateMs])),
  };
}

const VERSION = `SELECT VERSION() AS version`;

const TABLES = `
  SELECT table_name AS name FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name IN (?)`;

function wantedIndexes(jobs: JobsTable): WantedIndex[] {
  const schedules = sideTable(jobs, 'schedules');
  const labels = sideTable(jobs, 'labels');
  const keys = Object.entries(SIDE_TABLE_KEYS) as [SideTable, readonly string[]][];
  return [
    primary(jobs, ['id']),
    secondary(jobs, 'ready', ['ready_kind', 'priority', 'run_at', 'id']),
    secondary(jobs, 'scheduled', ['scheduled_at']),
    secondary(jobs, 'running', ['running']),
    secondary(schedules, 'due', ['due_at']),
    secondary(schedules, 'queued', ['queued_tick']),
    secondary(labels, 'job', ['job_id']),
    ...keys.map(([suffix, columns]) => primary(sideTable(jobs, suffix), columns)),
  ];
}

function secondary(table: JobsTable, suffix: string, columns: readonly string[]): WantedIndex {
  const name = `${table.name}_${suffix}`;
  const statement = `ALTER TABLE ${table.quoted} ADD KEY \`${name}\` (${columns.join(', ')})`;
  return { table: table.name, name, columns, where: null, statement };
}

function primary(table: JobsTable, columns: readonly string[]): WantedIndex {
  const statement = `ALTER TABLE ${table.quoted} ADD PRIMARY KEY (${columns.join(', ')})`;
  return { table: table.name, name: 'PRIMARY', columns, where: null, statement };
}

/** `SHOW INDEX` tells of indexes that the optimizer ignores, by a column with another name on each server. */
async function indexesOf(sql: Sql, tables: readonly string[]): Promise<FoundIndex[]> {
  const found: FoundIndex[] = [];
  for (const table of tables) {
    const rows = await sql.query(`SHOW INDEX FROM \`${table}\``);
    const names = [...new Set(rows.map((row) => row.Key_name as string))];
    for (const name of names) found.push(indexOf(table, name, rows));
  }
  return found;
}

function indexOf(table: string, name: string, rows: readonly Row[]): FoundIndex {
  const parts = rows.filter((row) => row.Key_name === name);
  const inOrder = parts.toSorted((one, other) => Number(one.Seq_in_index) - Number(other.Seq_in_index));
  return {
    table,
    name,
    columns: inOrder.map((row) => row.Column_name as string),
    where: null,
    isUsable: parts.every((row) => row.Ignored !== 'YES' && row.Visible !== 'NO'),
  };
}

export const overdueSchedules = (schedules: string) => `
  SELECT name, kind, ${millisOf('next_at')} AS next_at,
    TIMESTAMPDIFF(MICROSECOND, next_at, UTC_TIMESTAMP(6)) / 1000 AS late_ms
  FROM ${schedules}
  WHERE due_at < UTC_TIMESTAMP(6) - INTERVAL ? * 1000 MICROSECOND
  ORDER BY due_at LIMIT ?`;

export const expiredLeases = (jobs: string) => `
  SELECT COUNT(*) AS count, TIMESTAMPDIFF(MICROSECOND, MIN(locked_until), UTC_TIMESTAMP(6)) / 1000 AS longest_ms
  FROM (
    SELECT locked_until FROM ${jobs}
    WHERE running = 1 AND locked_until < UTC_TIMESTAMP(6) - INTERVAL ? * 1000 MICROSECOND
    LIMIT ${INSPECTED}
  ) AS first`;

import { INSPECTED } from '../../queue/inspector.js';
import type { JobsTable } from '../sql/dialect.js';
import {
  decodeExpired,
  decodeOverdue,
  plainCondition,
  type FoundIndex,
  type InspectionDialect,
} from '../sql/inspection-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Row } from '../sql/sql.js';
import { textArray } from './arrays.js';
import { faults } from './faults.js';
import { wantedIndexes } from './wanted-indexes.js';

export function inspection(jobs: JobsTable): InspectionDialect {
  const schema = jobs.schema ?? null;
  const statements = {
    overdue: overdueSchedules(sideTable(jobs, 'schedules').quoted),
    expired: expiredLeases(jobs.quoted),
  };
  return {
    server: async (sql) => `PostgreSQL ${String((await sql.query(VERSION))[0]!.version).split(' ')[0]!}`,
    tables: async (sql, names) =>
      (await sql.query(TABLES, [textArray(names), schema])).map(({ name }) => name as string),
    wantedIndexes: wantedIndexes(jobs),
    indexes: async (sql, tables) => (await sql.query(INDEXES, [textArray(tables), schema])).map(decodeIndex),
    faults: faults(jobs),
    overdueSchedules: async (sql, lateMs, limit) =>
      (await sql.query(statements.overdue, [lateMs, limit])).map(decodeOverdue),
    expiredLeases: async (sql, lateMs) => decodeExpired(await sql.query(statements.expired, [lateMs])),
  };
}

const VERSION = `SELECT current_setting('server_version') AS version`;

const IN_SCHEMA = `home.nspname = coalesce($2::name, current_schema())`;

const TABLES = `
  SELECT found.relname AS name FROM pg_class AS found JOIN pg_namespace AS home ON home.oid = found.relnamespace
  WHERE found.relname = ANY ($1::name[]) AND found.relkind = 'r' AND ${IN_SCHEMA}`;

const INDEXES = `
  SELECT owner.relname AS table, index.relname AS name, indisvalid AND indisready AS is_usable,
    (SELECT string_agg(attname, ',' ORDER BY place)
     FROM unnest(indkey::int2[]) WITH ORDINALITY AS part(number, place)
     JOIN pg_attribute ON attrelid = indrelid AND attnum = part.number) AS columns,
    pg_get_expr(indpred, indrelid) AS condition
  FROM pg_index JOIN pg_class AS owner ON owner.oid = indrelid JOIN pg_class AS index ON index.oid = indexrelid
  JOIN pg_namespace AS home ON home.oid = owner.relnamespace
  WHERE owner.relname = ANY ($1::name[]) AND ${IN_SCHEMA}`;

function decodeIndex({ table, name, is_usable, columns, condition }: Row): FoundIndex {
  return {
    table: table as string,
    name: name as string,
    columns: ((columns as string | null) ?? '').split(','),
    where: condition === null ? null : plainCondition(condition as string),
    isUsable: is_usable as boolean,
  };
}

export const overdueSchedules = (schedules: string) => `/*NO LOAD BALANCE*/
  SELECT name, kind, date_part('epoch', next_at) * 1000 AS next_at,
    (date_part('epoch', now()) - date_part('epoch', next_at)) * 1000 AS late_ms
  FROM ${schedules}
  WHERE paused_at IS NULL AND next_at IS NOT NULL AND next_at < now() - $1::float8 * interval '1 millisecond'
  ORDER BY next_at LIMIT $2`;

export const expiredLeases = (jobs: string) => `/*NO LOAD BALANCE*/
  SELECT count(*) AS count,
    (date_part('epoch', now()) - date_part('epoch', min(locked_until))) * 1000 AS longest_ms
  FROM (
    SELECT locked_until FROM ${jobs}
    WHERE status = 'PENDING' AND locked_by IS NOT NULL AND locked_until < now() - $1::float8 * interval '1 millisecond'
    LIMIT ${INSPECTED}
  ) AS first`;

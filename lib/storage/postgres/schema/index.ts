import { UnsupportedDatabaseError } from '../../../job/storage-errors.js';
import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaDialect } from '../../sql/schema-dialect.js';
import { versionIn } from '../../sql/schema-version.js';
import { inTransaction } from '../../sql/sql.js';
import { version1 } from './version-1.js';

const OLDEST_SERVER = 120_000;

export function schema(table: JobsTable): SchemaDialect {
  return {
    steps: [version1(table)],

    async requireVersion(sql) {
      const [row] = await sql.query(SERVER_VERSION);
      if (Number(row!.version) >= OLDEST_SERVER) return;
      throw new UnsupportedDatabaseError(
        `Jobs need PostgreSQL 12 or later; this server is ${String(row!.description)}.`,
      );
    },

    async schemaVersion(sql) {
      const [row] = await sql.query(TABLE_COMMENT, [table.name, table.schema ?? null]);
      return row === undefined ? 0 : versionIn(row.comment);
    },

    whileMigrating: (sql, work) =>
      inTransaction(sql, ['BEGIN ISOLATION LEVEL READ COMMITTED'], async () => {
        await sql.query(LOCK_SCHEMA, [`nestjs-typeorm-jobs ${table.quoted}`]);
        return work();
      }),
  };
}

const SERVER_VERSION = `SELECT current_setting('server_version_num') AS version, version() AS description`;

/*
 * From the catalog's own rows and not by to_regclass($1): within a transaction that answers from a cache, which does not
 * know a table that another process has made while this one waited for the lock.
 */
const TABLE_COMMENT = `
  SELECT obj_description(found.oid, 'pg_class') AS comment
  FROM pg_class AS found JOIN pg_namespace AS home ON home.oid = found.relnamespace
  WHERE found.relname = $1
    AND home.nspname = ANY (CASE WHEN $2::name IS NULL THEN current_schemas(false) ELSE ARRAY[$2::name] END)
  ORDER BY array_position(current_schemas(false), home.nspname) LIMIT 1`;

const LOCK_SCHEMA = `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`;

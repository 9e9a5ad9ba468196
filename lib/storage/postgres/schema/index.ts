import type { JobsTable } from '../../sql/dialect.js';
import type { FoundTable, SchemaDialect } from '../../sql/schema-dialect.js';
import { inTransaction, type Row } from '../../sql/sql.js';
import { commentOn, version1 } from './version-1.js';
import { version2 } from './version-2/index.js';

export function schema(table: JobsTable): SchemaDialect {
  return {
    steps: [version1(table), version2(table)],

    async find(sql) {
      const [row] = await sql.query(TABLE, [table.name, table.schema ?? null]);
      return row === undefined ? null : foundTable(row);
    },

    comment: (version) => commentOn(table, version),

    whileMigrating: (sql, work) =>
      inTransaction(sql, ['BEGIN ISOLATION LEVEL READ COMMITTED'], async () => {
        await sql.query(LOCK_SCHEMA, [`nestjs-typeorm-jobs ${table.quoted}`]);
        return work();
      }),
  };
}

/*
 * From the catalog's own rows and not by to_regclass($1): within a transaction that answers from a cache, which does not
 * know a table that another process has made while this one waited for the lock.
 */
const TABLE = `
  SELECT obj_description(found.oid, 'pg_class') AS comment, found.relkind AS kind,
    EXISTS (SELECT FROM pg_inherits WHERE found.oid IN (inhrelid, inhparent)) AS inherits,
    (SELECT string_agg(attname, ',') FROM pg_attribute
     WHERE attrelid = found.oid AND attnum > 0 AND NOT attisdropped) AS columns
  FROM pg_class AS found JOIN pg_namespace AS home ON home.oid = found.relnamespace
  WHERE found.relname = $1 AND found.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND home.nspname = ANY (CASE WHEN $2::name IS NULL THEN current_schemas(false) ELSE ARRAY[$2::name] END)
  ORDER BY array_position(current_schemas(false), home.nspname) LIMIT 1`;

const LOCK_SCHEMA = `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`;

function foundTable({ comment, kind, inherits, columns }: Row): FoundTable {
  return {
    comment: comment as string | null,
    columns: ((columns as string | null) ?? '').split(','),
    problem: problemOf(kind as string, inherits as boolean),
  };
}

/** Statements name rows by their place, which is unique within one plain table. */
function problemOf(kind: string, inherits: boolean): string | undefined {
  if (kind === 'p' || (kind === 'r' && inherits)) {
    return 'is partitioned, or takes part in inheritance. Keep the jobs in one plain table; settled jobs may be moved to another.';
  }
  return kind === 'r'
    ? undefined
    : 'is a view or a foreign table. Keep the jobs in a plain table of this database.';
}

import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaDialect } from '../../sql/schema-dialect.js';
import { versionIn } from '../../sql/schema-version.js';
import { inTransaction } from '../../sql/sql.js';
import { version1 } from './version-1.js';
import { version2 } from './version-2/index.js';

/**
 * Tables have no comments here, but SQLite keeps the text of each CREATE statement. The version stands as a comment within
 * that of a step's last index. Within the definition of an added column, after its name, it would do as well.
 */
export function schema(table: JobsTable): SchemaDialect {
  return {
    steps: [version1(table), version2(table)],

    async find(sql) {
      const rows = await sql.query(TABLE_TEXTS, [table.name]);
      if (rows.length === 0) return null;
      const comments = rows.flatMap((row) =>
        [...String(row.sql).matchAll(/\/\* (.*?) \*\//g)].map((found) => found[1]!),
      );
      const columns = (await sql.query(COLUMNS, [table.name])).map(({ name }) => name as string);
      const isTable = rows.some(({ type }) => type === 'table');
      return {
        comment:
          comments.toSorted((one, other) => (versionIn(one) ?? 0) - (versionIn(other) ?? 0)).at(-1) ?? null,
        columns,
        problem: isTable ? undefined : 'is a view. Keep the jobs in a table.',
      };
    },

    comment: () => null,

    whileMigrating: (sql, work) => inTransaction(sql, ['BEGIN IMMEDIATE'], work),
  };
}

const TABLE_TEXTS = `
  SELECT type, sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('table', 'index', 'view')`;

const COLUMNS = `SELECT name FROM pragma_table_xinfo(?)`;

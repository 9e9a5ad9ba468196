import { UnsupportedDatabaseError } from '../../../job/storage-errors.js';
import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaDialect } from '../../sql/schema-dialect.js';
import { versionIn } from '../../sql/schema-version.js';
import { inTransaction } from '../../sql/sql.js';
import { version1 } from './version-1.js';

/** `unixepoch` with fractions came with 3.42, `unhex` with 3.41. */
const OLDEST = [3, 42];

/**
 * Tables have no comments here, but SQLite keeps the text of each CREATE statement. The version stands as a comment within
 * that of a step's last index. Within the definition of an added column, after its name, it would do as well.
 */
export function schema(table: JobsTable): SchemaDialect {
  return {
    steps: [version1(table)],

    async requireVersion(sql) {
      const [row] = await sql.query(LIBRARY_VERSION);
      const [major = 0, minor = 0] = String(row!.version).split('.').map(Number);
      if (major > OLDEST[0]! || (major === OLDEST[0] && minor >= OLDEST[1]!)) return;
      throw new UnsupportedDatabaseError(`Jobs need SQLite 3.42 or later; this is ${String(row!.version)}.`);
    },

    async schemaVersion(sql) {
      const rows = await sql.query(TABLE_TEXTS, [table.name]);
      if (rows.length === 0) return 0;
      const versions = rows.map((row) => versionIn(/\/\* (.*?) \*\//.exec(String(row.sql))?.[1]) ?? 0);
      return Math.max(...versions) || null;
    },

    whileMigrating: (sql, work) => inTransaction(sql, ['BEGIN IMMEDIATE'], work),
  };
}

const LIBRARY_VERSION = `SELECT sqlite_version() AS version`;

const TABLE_TEXTS = `
  SELECT sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('table', 'index', 'view')`;

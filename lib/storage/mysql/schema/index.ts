import { JobsError } from '../../../job/errors.js';
import { UnsupportedDatabaseError } from '../../../job/storage-errors.js';
import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaDialect } from '../../sql/schema-dialect.js';
import { versionIn } from '../../sql/schema-version.js';
import { version1 } from './version-1.js';

const OLDEST_MYSQL = [8, 0, 4]; // SKIP LOCKED came with 8.0.1, JSON_TABLE with 8.0.4; the first stable release was 8.0.11
const OLDEST_MARIADB = [10, 6, 0];
const LOCK_SECONDS = 60;

export function schema(table: JobsTable): SchemaDialect {
  return {
    steps: [version1(table)],

    async requireVersion(sql) {
      const [row] = await sql.query(SERVER_VERSION);
      const version = String(row!.version);
      const oldest = /mariadb/i.test(version) ? OLDEST_MARIADB : OLDEST_MYSQL;
      if (isAtLeast(version, oldest)) return;
      throw new UnsupportedDatabaseError(
        `Jobs need MySQL 8.0.4 or MariaDB 10.6 or later; this server is ${version}.`,
      );
    },

    async schemaVersion(sql) {
      const [row] = await sql.query(TABLE_COMMENT, [table.name]);
      return row === undefined ? 0 : versionIn(row.comment);
    },

    async whileMigrating(sql, work) {
      const [row] = await sql.query(LOCK_SCHEMA, [table.name, LOCK_SECONDS]);
      if (Number(row!.locked) !== 1)
        throw new JobsError(`Could not lock the schema of ${table.name} within ${LOCK_SECONDS} seconds.`);
      try {
        return await work();
      } finally {
        await sql.query(UNLOCK_SCHEMA, [table.name]);
      }
    },
  };
}

const SERVER_VERSION = `SELECT VERSION() AS version`;

const TABLE_COMMENT = `
  SELECT table_comment AS comment FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_name = ?`;

const LOCK_SCHEMA = `SELECT GET_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), ?))), ?) AS locked`;

const UNLOCK_SCHEMA = `SELECT RELEASE_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), ?))))`;

function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [index, wanted] of oldest.entries()) {
    const part = parts[index] || 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

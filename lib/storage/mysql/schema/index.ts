import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaDialect } from '../../sql/schema-dialect.js';
import type { Row } from '../../sql/sql.js';
import { commentOn, version1 } from './version-1.js';
import { version2 } from './version-2/index.js';

/** How long one try to lock the schema waits. */
const LOCK_SECONDS = 60;

export function schema(table: JobsTable): SchemaDialect {
  return {
    steps: [version1(table), version2(table)],

    async find(sql) {
      const [row] = await sql.query(TABLE, [table.name]);
      if (row === undefined) return null;
      const columns = (await sql.query(COLUMNS, [table.name])).map(({ name }) => name as string);
      return { comment: row.comment as string, columns, problem: problemOf(row) };
    },

    comment: (version) => commentOn(table, version),

    async whileMigrating(sql, work) {
      const isLocked = async () =>
        Number((await sql.query(LOCK_SCHEMA, [table.name, LOCK_SECONDS]))[0]!.locked);
      while ((await isLocked()) !== 1);
      try {
        return await work();
      } finally {
        await sql.query(UNLOCK_SCHEMA, [table.name]);
      }
    },
  };
}

const TABLE = `
  SELECT table_comment AS comment, engine AS engine FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_name = ?`;

const COLUMNS = `
  SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?`;

const LOCK_SCHEMA = `SELECT GET_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), ?))), ?) AS locked`;

const UNLOCK_SCHEMA = `SELECT RELEASE_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), ?))))`;

function problemOf({ engine }: Row): string | undefined {
  if (engine === null) return 'is a view. Keep the jobs in a table of this database.';
  if (engine === 'InnoDB') return undefined;
  return `is kept by the engine ${engine as string}, which has no transactions. Alter it to ENGINE = InnoDB.`;
}

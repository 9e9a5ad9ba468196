import type { DataSourceOptions } from 'typeorm';
import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
import type { Dialect } from '../sql/dialect.js';
import { mysqlDialect } from '../mysql/dialect.js';
import { postgresDialect } from '../postgres/dialect.js';
import { sqliteDialect } from '../sqlite/dialect.js';

/** Where the jobs of one module are kept. */
export interface JobsTableOptions {
  /** Before `jobs` in the name of the table: letters, digits and `_`, at most 40. Default: `nest_`. */
  readonly tablePrefix: string;
  /** The PostgreSQL schema of the table. Default: the `schema` of the DataSource, or else the search path. */
  readonly schema?: string;
}

/**
 * The dialect for a DataSource, by its `type`.
 * @throws UnsupportedDatabaseError
 */
export function dialectFor(
  dataSource: DataSourceOptions,
  { tablePrefix, schema }: JobsTableOptions,
): Dialect {
  const table = `${tablePrefix}jobs`;
  switch (dataSource.type) {
    case 'postgres':
      return postgresDialect(table, schema ?? dataSource.schema);
    case 'mysql':
    case 'mariadb':
      refuseSchema(dataSource.type, schema);
      return mysqlDialect(table);
    case 'better-sqlite3':
      refuseSchema(dataSource.type, schema);
      return sqliteDialect(table);
    default:
      throw new UnsupportedDatabaseError(
        'Jobs can be kept in PostgreSQL, MySQL, MariaDB, and SQLite by better-sqlite3; ' +
          `this DataSource is of type "${dataSource.type}".`,
      );
  }
}

function refuseSchema(type: string, schema: string | undefined): void {
  if (schema === undefined) return;
  throw new UnsupportedDatabaseError(`The option "schema" is for PostgreSQL; leave it out with ${type}.`);
}

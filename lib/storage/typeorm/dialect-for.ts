import type { DataSource } from 'typeorm';
import { InvalidOptionError } from '../../job/errors.js';
import type { AttemptHistory } from '../../job/job-attempt.js';
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
  /** Which attempts have a row of their own. Default `'failures'`. */
  readonly attempts?: AttemptHistory;
}

/**
 * The dialect for a DataSource, by its `type`.
 * @throws UnsupportedDatabaseError, InvalidOptionError
 */
export function dialectFor(dataSource: DataSource, options: JobsTableOptions): Dialect {
  const { type, schema: ofDataSource } = dataSource.options as { type: string; schema?: string };
  const table = tableName(dataSource, options.tablePrefix);
  switch (type) {
    case 'postgres':
      return postgresDialect(table, options.schema ?? ofDataSource, undefined, options.attempts);
    case 'mysql':
    case 'mariadb':
      refuseSchema(type, options.schema);
      return mysqlDialect(table, undefined, options.attempts);
    case 'better-sqlite3':
      refuseSchema(type, options.schema);
      return sqliteDialect(table, options.attempts);
    default:
      throw new UnsupportedDatabaseError(
        'Jobs can be kept in PostgreSQL, MySQL, MariaDB, and SQLite by better-sqlite3; ' +
          `this DataSource is of type "${type}".`,
      );
  }
}

/** As TypeORM names the table of an entity, the `entityPrefix` of the DataSource included. */
function tableName({ options, namingStrategy }: DataSource, tablePrefix: string): string {
  const { entityPrefix } = options;
  const own = `${tablePrefix}jobs`;
  const name = entityPrefix ? namingStrategy.prefixTableName(entityPrefix, own) : own;
  // The longest name of an index has eleven characters more, and PostgreSQL cuts names after 63 bytes.
  if (/^[A-Za-z0-9_]{1,52}$/.test(name)) return name;
  const allowed =
    'letters, digits and _ that make, with the entityPrefix of the DataSource before it and "jobs" behind it, a name of at ' +
    `most 52 characters. It makes "${name}"`;
  throw new InvalidOptionError('tablePrefix', tablePrefix, allowed);
}

function refuseSchema(type: string, schema: string | undefined): void {
  if (schema === undefined) return;
  throw new UnsupportedDatabaseError(`The option "schema" is for PostgreSQL; leave it out with ${type}.`);
}

import { DataSource, type DataSourceOptions } from 'typeorm';
import { InvalidOptionError } from '../../job/errors.js';

/** The type of a DataSource by the scheme of a URL. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['postgres', 'postgres'],
  ['postgresql', 'postgres'],
  ['mysql', 'mysql'],
  ['mariadb', 'mariadb'],
  ['sqlite', 'better-sqlite3'],
  ['file', 'better-sqlite3'],
]);

const ALLOWED =
  'a URL such as postgres://user@host/database, mysql://…, mariadb://…, or sqlite:path/of/the/file.db';

/** How connections of a command show in the lists of the server. */
const APPLICATION_NAME = 'nestjs-typeorm-jobs';
const POOL_SIZE = 4;

/**
 * A DataSource for a database URL, without entities. It is not initialized.
 *
 * @param option what the URL stands in, for the message; the URL is left out of it, because it may hold a password
 * @throws InvalidOptionError
 */
export function dataSourceOfUrl(url: string, option: string): DataSource {
  const [, scheme = '', rest = ''] = /^([a-z0-9+]+):(.*)$/i.exec(url) ?? [];
  const type = TYPES.get(scheme.toLowerCase());
  if (type === undefined) throw new InvalidOptionError(option, `${scheme}:…`, ALLOWED);
  if (type === 'better-sqlite3') {
    const database = decodeURI(rest.replace(/^\/\/(?=\/)/, ''));
    return new DataSource({ type, database, fileMustExist: true });
  }
  const named = type === 'postgres' ? { applicationName: APPLICATION_NAME } : {};
  return new DataSource({ type, url, poolSize: POOL_SIZE, ...named } as DataSourceOptions);
}

/**
 * Connects a DataSource of an application for a command: whatever its options say, it changes no tables, runs no migrations
 * and logs nothing.
 */
export async function initializeQuietly(dataSource: DataSource): Promise<void> {
  if (dataSource.isInitialized) return;
  const harmless = { synchronize: false, migrationsRun: false, dropSchema: false } as const;
  // A list that is empty: for false, TypeORM keeps the logger that it has.
  dataSource.setOptions({ ...harmless, subscribers: [], logger: 'simple-console', logging: [] });
  await dataSource.initialize();
}

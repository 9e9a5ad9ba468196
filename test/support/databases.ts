import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';

/** A database server that the tests run on; see global-setup.ts. */
export interface TestServer {
  readonly name: string;
  readonly type: 'postgres' | 'mysql' | 'better-sqlite3';
  /** A folder, for SQLite. */
  readonly url: string;
  /** What is not there, where this server cannot be used: its tests are listed as skipped. */
  readonly missing?: string;
}

/** All that the tests may run on, those that are missing included: a suite names them, see `describeOn`. */
const { all, poolerMissing } = JSON.parse(process.env.JOBS_TEST_SERVERS ?? '{"all":[]}') as {
  all: readonly TestServer[];
  poolerMissing?: string;
};

const present = all.filter(({ type }) => type !== 'better-sqlite3');

/**
 * With JOBS_TEST_SKIP_EMBEDDED=1 the tests on the embedded PostgreSQL are skipped, because an earlier run has done all of
 * them. Where a test needs it for something else, it is there.
 */
export const servers: readonly TestServer[] = present.map((server) =>
  process.env.JOBS_TEST_SKIP_EMBEDDED === '1' && server.name.startsWith('embedded')
    ? { ...server, missing: 'it is skipped by JOBS_TEST_SKIP_EMBEDDED' }
    : server,
);

/** SQLite, which is no server: a list of one. */
export const sqlite = all.filter(({ type }) => type === 'better-sqlite3');

/** One server of each type is enough where a test is not about SQL: the first of its type, the embedded one included. */
export const oneOfEach: readonly TestServer[] = servers.filter(
  (server, place) => servers.findIndex(({ type }) => type === server.type) === place,
);

/** What pgbouncer can be put before. */
export const pooled: readonly TestServer[] = ofType('postgres', present.slice(0, 1)).map((server) => ({
  ...server,
  missing: server.missing ?? poolerMissing,
}));

export function ofType(type: TestServer['type'], list: readonly TestServer[]): readonly TestServer[] {
  return list.filter((server) => server.type === type);
}

/** A server that is always there, for tests that are about no database in particular: the embedded PostgreSQL. */
export function anyServer(): TestServer {
  const server = present.find(({ missing }) => missing === undefined);
  if (server === undefined) throw new Error('The tests need the servers of test/support/global-setup.ts.');
  return server;
}

/**
 * A `describe` for each server; `$name` in its title is the server's. For one that is missing all its tests are listed
 * as skipped, and the title says what is missing. `describe.each` would refuse a list of none, and hide what it lacks.
 */
export function describeOn(
  list: readonly TestServer[],
  title: string,
  tests: (server: TestServer) => void,
): void {
  if (list.length === 0) throw new Error(`${title}: a server that is missing belongs into the list as well.`);
  for (const server of list) {
    const name = title.replace('$name', server.name);
    if (server.missing === undefined) describe(name, () => tests(server));
    else describe.skip(`${name}: missing, ${server.missing}`, () => tests(server));
  }
}

/** A database of a test's own on a server. */
export class TestDatabase {
  private constructor(
    readonly server: TestServer,
    readonly name: string,
  ) {}

  /** @param options how the database is made: `ENCODING …` */
  static async create(server: TestServer, options = ''): Promise<TestDatabase> {
    if (server.missing !== undefined) throw new Error(`There is no ${server.name}: ${server.missing}`);
    const database = new TestDatabase(server, `jobs_test_${randomBytes(6).toString('hex')}`);
    if (server.type !== 'better-sqlite3')
      await onServer(server, `CREATE DATABASE ${database.name} ${options}`);
    return database;
  }

  get url(): string {
    const url = new URL(this.server.url);
    url.pathname = `/${this.name}`;
    return url.href;
  }

  private get file(): string {
    return join(this.server.url, `${this.name}.db`);
  }

  /** For `new DataSource()` and `TypeOrmModule.forRoot()`. */
  get options(): DataSourceOptions {
    const { type } = this.server;
    return type === 'better-sqlite3' ? { type, database: this.file } : { type, url: this.url };
  }

  /** An initialized DataSource; the caller destroys it. */
  connect(options: Partial<DataSourceOptions> = {}): Promise<DataSource> {
    return new DataSource({ ...this.options, ...options } as DataSourceOptions).initialize();
  }

  async drop(): Promise<void> {
    if (this.server.type === 'better-sqlite3') {
      for (const suffix of ['', '-wal', '-shm']) await rm(`${this.file}${suffix}`, { force: true });
      return;
    }
    const force = this.server.type === 'postgres' ? ' WITH (FORCE)' : '';
    await onServer(this.server, `DROP DATABASE IF EXISTS ${this.name}${force}`);
  }
}

async function onServer({ type, url }: TestServer, statement: string): Promise<void> {
  const dataSource = await new DataSource({ type, url } as DataSourceOptions).initialize();
  try {
    await dataSource.query(statement);
  } finally {
    await dataSource.destroy();
  }
}

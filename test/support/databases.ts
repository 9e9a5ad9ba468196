import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';

/** A database server that the tests run on; see global-setup.ts. */
export interface TestServer {
  readonly name: string;
  readonly type: 'postgres' | 'mysql' | 'better-sqlite3';
  /** A folder, for SQLite. */
  readonly url: string;
}

const found = JSON.parse(process.env.JOBS_TEST_SERVERS ?? '[]') as readonly TestServer[];

export const servers = found.filter(({ type }) => type !== 'better-sqlite3');

/** SQLite, which is no server: a list of one, or of none where its driver has not been built. */
export const sqlite = found.filter(({ type }) => type === 'better-sqlite3');

/** One server of each type is enough where a test is not about SQL: the first of its type. */
export const oneOfEach: readonly TestServer[] = servers.filter(
  (server, place) => servers.findIndex(({ type }) => type === server.type) === place,
);

/** A database of a test's own on a server. */
export class TestDatabase {
  private constructor(
    readonly server: TestServer,
    readonly name: string,
  ) {}

  static async create(server: TestServer): Promise<TestDatabase> {
    const database = new TestDatabase(server, `jobs_test_${randomBytes(6).toString('hex')}`);
    if (server.type !== 'better-sqlite3') await onServer(server, `CREATE DATABASE ${database.name}`);
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

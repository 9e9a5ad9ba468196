import { afterEach, beforeEach } from '@jest/globals';
import type { DynamicModule, INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { getJobClientToken, JobsModule, type JobClient, type JobsModuleOptions } from '../../lib/index.js';
import { TestDatabase, type TestServer } from './databases.js';
import { MemoryLogger } from './memory-logger.js';
import { TcpProxy } from './tcp-proxy.js';

/** A database, the proxy before it, and what its module logs. */
export class Shard {
  readonly logger = new MemoryLogger({ isDebugEnabled: false });

  private constructor(
    readonly name: string,
    readonly database: TestDatabase,
    /** Undefined for SQLite. */
    readonly proxy: TcpProxy | undefined,
  ) {}

  static async create(name: string, server: TestServer): Promise<Shard> {
    const database = await TestDatabase.create(server);
    const proxy = server.type === 'better-sqlite3' ? undefined : await TcpProxy.start(server.url);
    return new Shard(name, database, proxy);
  }

  /** By way of the proxy. */
  get url(): string {
    const url = new URL(this.proxy!.url);
    url.pathname = `/${this.database.name}`;
    return url.href;
  }

  /** By way of the proxy. */
  get options(): DataSourceOptions {
    const { options } = this.database;
    return this.proxy === undefined ? options : ({ ...options, url: this.url } as DataSourceOptions);
  }

  /** The lines of a level that tell of its opening. */
  told(level: 'log' | 'warn' | 'error'): string[] {
    return this.logger.lines.filter(
      (line) =>
        line.startsWith(`${level} `) && / its database|in the database|The database is open/.test(line),
    );
  }

  async drop(): Promise<void> {
    await this.proxy?.cut();
    await this.database.drop();
  }
}

/** Applications with a named module on each of several databases. After the test they are closed and the databases dropped. */
export class Shards {
  readonly all: Shard[] = [];
  private readonly apps: INestApplicationContext[] = [];

  private constructor(private readonly servers: Readonly<Record<string, TestServer>>) {}

  /** @param servers by the name of the shard; for the tests of the `describe` that this is called in */
  static on(servers: Readonly<Record<string, TestServer>>): Shards {
    const shards = new Shards(servers);
    beforeEach(() => shards.create());
    afterEach(() => shards.drop());
    return shards;
  }

  get(name: string): Shard {
    return this.all.find((shard) => shard.name === name)!;
  }

  /** The modules of an application on all shards. */
  modules(options: JobsModuleOptions = {}): DynamicModule[] {
    return this.all.flatMap(({ name, logger, options: database }) => [
      TypeOrmModule.forRoot({ ...database, name, manualInitialization: true }),
      JobsModule.forRoot({
        ...{ name, dataSource: name, logger, databaseAtStart: 'optional', databaseTimeoutMs: 30_000 },
        worker: { pollIntervalMs: 100 },
        ...options,
      }),
    ]);
  }

  async start(root: ModuleMetadata): Promise<INestApplicationContext> {
    const app = await Test.createTestingModule(root).setLogger(SILENT).compile();
    this.apps.push(app);
    return app.init();
  }

  private async create(): Promise<void> {
    for (const [name, server] of Object.entries(this.servers))
      this.all.push(await Shard.create(name, server));
  }

  private async drop(): Promise<void> {
    for (const app of this.apps.splice(0)) await app.close();
    for (const shard of this.all.splice(0)) await shard.drop();
  }
}

export function clientOf(app: INestApplicationContext, shard: string): JobClient {
  return app.get<JobClient>(getJobClientToken(shard));
}

export function dataSourceOf(app: INestApplicationContext, shard: string): DataSource {
  return app.get<DataSource>(getDataSourceToken(shard));
}

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

import { afterEach, beforeEach } from '@jest/globals';
import type { DynamicModule, INestApplicationContext, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Job, JobClient } from '../../lib/index.js';
import { TestDatabase, type TestServer } from './databases.js';
import { until } from './until.js';

/** Nest applications on a database of the test's own. After the test all of them are closed, also those that failed. */
export class TestApplications {
  database!: TestDatabase;
  private readonly apps: INestApplicationContext[] = [];
  private readonly connections: Promise<DataSource>[] = [];

  private constructor(private readonly server: TestServer) {}

  /** For the tests of the `describe` that this is called in. */
  static on(server: TestServer): TestApplications {
    const applications = new TestApplications(server);
    beforeEach(() => applications.open());
    afterEach(() => applications.close());
    return applications;
  }

  /** What `TypeOrmModule.forRoot()` is for an application: its DataSource, under a name if there are several. */
  typeOrm(name?: string, { options }: Pick<TestDatabase, 'options'> = this.database): DynamicModule {
    return TypeOrmModule.forRootAsync({
      name,
      useFactory: () => options,
      dataSourceFactory: () => {
        const connection = new DataSource(options).initialize();
        this.connections.push(connection);
        return connection;
      },
    });
  }

  /** An application that is up. */
  async start(root: ModuleMetadata, logger: LoggerService | false = false): Promise<INestApplicationContext> {
    const app = await this.compile(root, logger);
    return app.init();
  }

  /** An application whose providers are there, and none of whose lifecycle hooks has been called. */
  async compile(
    root: ModuleMetadata,
    logger: LoggerService | false = false,
  ): Promise<INestApplicationContext> {
    const builder = Test.createTestingModule(root);
    builder.setLogger(logger === false ? SILENT : logger);
    const app = await builder.compile();
    this.apps.push(app);
    return app;
  }

  private async open(): Promise<void> {
    this.database = await TestDatabase.create(this.server);
  }

  private async close(): Promise<void> {
    for (const app of this.apps.splice(0)) await app.close();
    for (const connection of this.connections.splice(0)) {
      const dataSource = await connection;
      if (dataSource.isInitialized) await dataSource.destroy();
    }
    await this.database.drop();
  }
}

/** Waits for the end of a job. */
export async function ended(client: JobClient, id: string): Promise<Job> {
  const hasEnded = async () => (await client.get(id))?.status !== 'PENDING';
  await until(hasEnded, { what: `"job ${id} has ended"` });
  return (await client.get(id))!;
}

const SILENT: LoggerService = { log: () => undefined, warn: () => undefined, error: () => undefined };

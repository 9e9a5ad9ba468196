import { expect } from '@jest/globals';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { JobClient } from '../../lib/client/job-client.js';
import {
  TypeOrmJobQueue,
  type TypeOrmJobQueueSettings,
} from '../../lib/storage/typeorm/typeorm-job-queue.js';
import { TestDatabase } from './databases.js';
import { KIND, type SqlStore } from './store.js';

type Settings = Partial<TypeOrmJobQueueSettings>;

/** Databases without a table, on the server of a store. */
export class FreshDatabases {
  constructor(private readonly store: SqlStore) {}

  /** Calls `work` with a new database, which is dropped afterwards. @param made how it is made: `ENCODING …` */
  async within(
    work: (dataSource: DataSource, database: TestDatabase) => Promise<void>,
    options: Partial<DataSourceOptions> = {},
    made = '',
  ): Promise<void> {
    const database = await TestDatabase.create(this.store.server, made);
    const dataSource = await database.connect(options);
    try {
      await work(dataSource, database);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  }

  queueOn(dataSource: DataSource, settings: Settings = {}): TypeOrmJobQueue {
    return new TypeOrmJobQueue(dataSource, this.store.queueSettings(settings));
  }

  /** Runs a job in a table that is there. */
  async works(dataSource: DataSource, settings: Settings = {}): Promise<void> {
    const queue = await this.queueOn(dataSource, settings).open();
    const { id } = await new JobClient(queue).enqueue(KIND, 'x');
    await queue.dequeue([KIND], () => 'fine');
    expect(await queue.get(id)).toMatchObject({ status: 'DONE', result: 'fine' });
    await queue.close();
  }
}

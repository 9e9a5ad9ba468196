import type { DataSource } from 'typeorm';
import { JobClient } from '../client/job-client.js';
import { JobKinds } from '../client/job-kinds.js';
import { JobSchedules } from '../client/job-schedules.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { describeError } from '../job/describe-error.js';
import type { JobsLogger } from '../job/logger.js';
import { EventWriter } from '../outbox/event-writer.js';
import { resolveOptions } from '../nest/jobs.options.js';
import type { JobQueue } from '../queue/job-queue.js';
import { ScheduleRegistry } from '../schedules/schedule-registry.js';
import { TickJobs } from '../schedules/tick-jobs.js';
import { dataSourceOfUrl, initializeQuietly } from '../storage/typeorm/data-source-of-url.js';
import { TypeOrmJobQueue } from '../storage/typeorm/typeorm-job-queue.js';
import { CommandFailedError, UsageError } from './cli-errors.js';
import { loadDataSource } from './data-source-file.js';

/** Where the jobs are. */
export interface JobsPlace {
  /** A file that exports the DataSource. */
  readonly file: string | undefined;
  /** The URL of the database, where no file is given. */
  readonly url: string | undefined;
  readonly tablePrefix: string | undefined;
  readonly schema: string | undefined;
  /** Makes and upgrades the table, or only looks at it. */
  readonly migrate: 'auto' | 'manual';
}

/** What the DataSource of an application says of itself, before a command has changed it. */
export interface DataSourceFacts {
  readonly synchronize: boolean;
  readonly poolSize: number | undefined;
}

/** What commands work on: what an application injects, without a worker. */
export interface Jobs {
  readonly queue: JobQueue;
  readonly client: JobClient;
  readonly kinds: JobKinds;
  readonly schedules: JobSchedules;
  readonly events: JobsEvents;
  readonly dataSource: DataSourceFacts;
  /** Looks at the server and at the table. @throws UnsupportedDatabaseError, SchemaVersionError */
  open(): Promise<void>;
  /** Sends what is to be told to workers and to listeners of events, and disconnects. */
  close(): Promise<void>;
}

const SILENT: JobsLogger = {
  debug: () => undefined,
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const NO_DATABASE =
  'No database is named. Set DATABASE_URL, or give --data-source with a file that exports a TypeORM DataSource.';

/** Connects. @throws UsageError, InvalidOptionError, CommandFailedError */
export async function connectJobs({ file, url, tablePrefix, schema, migrate }: JobsPlace): Promise<Jobs> {
  const options = resolveOptions({ tablePrefix, schema, migrate, worker: false, logger: SILENT });
  const dataSource = await dataSourceOf(file, url);
  const { synchronize, poolSize } = dataSource.options as { synchronize?: boolean; poolSize?: number };
  await initializeQuietly(dataSource).catch((error: unknown) => {
    throw unreachable(error);
  });
  const { events, maxPayloadBytes } = options;
  const queue = new TypeOrmJobQueue(dataSource, options.queue);
  const writer = new EventWriter(queue.eventStore, events);
  return {
    queue,
    client: new JobClient(queue, { events }),
    kinds: new JobKinds(queue),
    schedules: new JobSchedules(queue, new ScheduleRegistry(), new TickJobs({ maxPayloadBytes })),
    events,
    dataSource: { synchronize: synchronize === true, poolSize },
    open: async () => {
      await queue.open();
      writer.start();
    },
    close: async () => {
      await writer.stop();
      await queue.close();
      await dataSource.destroy();
    },
  };
}

async function dataSourceOf(file: string | undefined, url: string | undefined): Promise<DataSource> {
  if (file !== undefined) return loadDataSource(file);
  if (url === undefined || url === '') throw new UsageError(NO_DATABASE);
  return dataSourceOfUrl(url, 'DATABASE_URL');
}

function unreachable(cause: unknown): CommandFailedError {
  const reason = describeError(cause).split('\n', 1)[0]!;
  return new CommandFailedError(`The database cannot be reached: ${reason}`, { cause });
}

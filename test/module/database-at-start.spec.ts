import 'reflect-metadata';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { Injectable, type DynamicModule } from '@nestjs/common';
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions, type Repository } from 'typeorm';
import {
  DatabaseNotReadyError,
  getJobQueueToken,
  InjectJobClient,
  InvalidOptionError,
  JobClient,
  JobEntity,
  JobHandler,
  JobsModule,
  SchemaVersionError,
  UnsupportedDatabaseError,
  type JobQueue,
  type JobRecord,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { describeOn, oneOfEach, sqlite } from '../support/databases.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { clientOf, dataSourceOf, Shards } from '../support/shards.js';
import { until } from '../support/until.js';

const JOBS: JobsModuleOptions = {
  name: 'west',
  dataSource: 'west',
  databaseAtStart: 'optional',
};

describeOn(oneOfEach, "With databaseAtStart: 'optional' on $name, an application", (server) => {
  const shards = Shards.on({ west: server });
  const west = () => shards.get('west');
  const typeOrm = (options: Partial<DataSourceOptions> = {}): DynamicModule =>
    TypeOrmModule.forRoot({
      ...west().options,
      ...options,
      name: 'west',
      manualInitialization: true,
    } as Parameters<typeof TypeOrmModule.forRoot>[0]);
  const jobs = (options: JobsModuleOptions = {}) =>
    JobsModule.forRoot({ ...JOBS, logger: west().logger, unknownKinds: 'allow', ...options });
  const isPostgres = server.type === 'postgres';

  it('whose database is up may enqueue from the start on, as ever', async () => {
    @Injectable()
    class Early {
      constructor(@InjectJobClient('west') private readonly client: JobClient) {}

      async onModuleInit(): Promise<void> {
        await this.client.enqueue('work', null, { id: 'early' });
      }
    }
    const app = await shards.start({ imports: [typeOrm(), jobs()], providers: [Early] });
    expect(await clientOf(app, 'west').get('early')).toMatchObject({ status: 'PENDING' });
    await app.close();
    expect(dataSourceOf(app, 'west').isInitialized).toBe(false);
    expect(west().logger.lines.filter((line) => /^(warn|error)|is open/.test(line))).toEqual([]);
  });

  it('does not start with an account that the database refuses', async () => {
    const url = new URL(west().url);
    [url.username, url.password] = ['nobody_at_all', 'wrong'];
    await expect(shards.start({ imports: [typeOrm({ url: url.href }), jobs()] })).rejects.toMatchObject({
      code: expect.stringMatching(/^(28...|ER_ACCESS_DENIED_ERROR)$/),
    });
    expect(west().told('warn')).toEqual([]);
  });

  it('does not start on a table of somebody else, and leaves no connection behind', async () => {
    const other = await west().database.connect();
    await other.query('CREATE TABLE nest_west_jobs (id int)');
    await other.destroy();
    await expect(shards.start({ imports: [typeOrm(), jobs()] })).rejects.toBeInstanceOf(SchemaVersionError);
    await until(() => west().proxy!.size === 0);
  });

  it('tells of a fault that comes to light later, and works when it is mended', async () => {
    const other = await west().database.connect();
    await other.query('CREATE TABLE nest_west_jobs (id int)');
    await west().proxy!.cut();
    const app = await shards.start({ imports: [typeOrm(), jobs()] });
    await west().proxy!.restore();
    await until(() => west().told('error').length > 0);
    expect(west().told('error')).toEqual([
      expect.stringMatching(/cannot be kept in the database as it is.*SchemaVersionError: There is a table/),
    ]);
    const refused = clientOf(app, 'west').enqueue('work');
    await expect(refused).rejects.toThrow(/has not been opened yet \(SchemaVersionError: There is a table/);
    await other.query('DROP TABLE nest_west_jobs');
    await other.destroy();
    await until(() => west().told('log').length > 0);
    expect(await clientOf(app, 'west').enqueue('work')).toMatchObject({ kind: 'work' });
    expect(west().told('warn')).toHaveLength(1);
    expect(west().told('error')).toHaveLength(1);
  });

  it('starts though another process holds the lock of the schema, and can be closed', async () => {
    const other = await west().database.connect();
    const holder = other.createQueryRunner();
    await holder.connect();
    if (isPostgres) {
      await holder.startTransaction();
      await holder.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [
        'nestjs-typeorm-jobs "public"."nest_west_jobs"',
      ]);
    } else {
      await holder.query(`SELECT GET_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), 'nest_west_jobs'))), 5)`);
    }
    const app = await shards.start({ imports: [typeOrm(), jobs({ databaseTimeoutMs: 1_000 })] });
    expect(west().told('warn')).toEqual([
      expect.stringMatching(/not been opened within 1 s, and nothing has failed/),
    ]);
    await expect(clientOf(app, 'west').get('one')).rejects.toBeInstanceOf(DatabaseNotReadyError);
    await app.close();
    expect(dataSourceOf(app, 'west').isInitialized).toBe(false);
    if (isPostgres) await holder.rollbackTransaction();
    await holder.release();
    await other.destroy();
  });

  it('waits for that lock in the background', async () => {
    const other = await west().database.connect();
    const holder = other.createQueryRunner();
    await holder.connect();
    const lock = isPostgres
      ? `SELECT pg_advisory_lock(hashtextextended('nestjs-typeorm-jobs "public"."nest_west_jobs"', 0))`
      : `SELECT GET_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), 'nest_west_jobs'))), 5)`;
    await holder.query(lock);
    const app = await shards.start({ imports: [typeOrm(), jobs({ databaseTimeoutMs: 1_000 })] });
    await holder.query(
      isPostgres
        ? `SELECT pg_advisory_unlock_all()`
        : `SELECT RELEASE_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), 'nest_west_jobs'))))`,
    );
    await until(() => west().told('log').length > 0);
    expect(await clientOf(app, 'west').enqueue('work')).toMatchObject({ kind: 'work' });
    await holder.release();
    await other.destroy();
  });

  it('has one pool for two modules on a DataSource', async () => {
    await west().proxy!.cut();
    const app = await shards.start({
      imports: [typeOrm({ poolSize: 1 }), jobs(), jobs({ name: 'bulk' })],
    });
    const dataSource = dataSourceOf(app, 'west');
    let count = 0;
    const initialize = () => {
      count += 1;
      return DataSource.prototype.initialize.call(dataSource);
    };
    Object.assign(dataSource, { initialize });
    await west().proxy!.restore();
    await until(() => west().told('log').length === 2);
    expect(count).toBe(1);
    for (const name of ['west', 'bulk'])
      expect(await clientOf(app, name).enqueue('work')).toMatchObject({ kind: 'work' });
  });

  it('has repositories and watchers that work once the database is up', async () => {
    await west().proxy!.cut();
    const app = await shards.start({
      imports: [
        typeOrm({ entities: [JobEntity] }),
        TypeOrmModule.forFeature([JobEntity], 'west'),
        jobs({ tablePrefix: 'nest_' }),
      ],
    });
    const woken: (readonly string[] | null)[] = [];
    const queue = app.get<JobQueue>(getJobQueueToken('west'));
    queue.watch((kinds) => woken.push(kinds));
    const unwatch = queue.watch((kinds) => woken.push(kinds));
    unwatch();
    await west().proxy!.restore();
    await until(() => west().told('log').length > 0);
    const { id } = await clientOf(app, 'west').enqueue('work');
    const repository = app.get<Repository<JobRecord>>(getRepositoryToken(JobEntity, 'west'));
    expect(await repository.findOneBy({ id })).toMatchObject({ kind: 'work' });
    expect(woken.filter((kinds) => kinds?.includes('work'))).toHaveLength(1);
  });

  it('takes its DataSource from a factory as well', async () => {
    await west().proxy!.cut();
    const { options } = west();
    const asynchronous = TypeOrmModule.forRootAsync({
      name: 'west',
      useFactory: () => ({ ...options, manualInitialization: true }),
      dataSourceFactory: (given) => Promise.resolve(new DataSource(given!)),
    });
    const app = await shards.start({ imports: [asynchronous, jobs()] });
    await expect(clientOf(app, 'west').enqueue('work')).rejects.toBeInstanceOf(DatabaseNotReadyError);
    await west().proxy!.restore();
    await until(() => west().told('log').length > 0);
    await clientOf(app, 'west').enqueue('work');
    await app.close();
    expect(dataSourceOf(app, 'west').isInitialized).toBe(false);
  });

  it('says without that option what a DataSource needs that is not initialized', async () => {
    const starting = shards.start({ imports: [typeOrm(), jobs({ databaseAtStart: 'required' })] });
    await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(starting).rejects.toThrow(
      /databaseAtStart.*'optional' beside a DataSource that is not init/,
    );
  });

  it('does not start without its database by default', async () => {
    await west().proxy!.cut();
    const typeOrmAlone = TypeOrmModule.forRoot({ ...west().options, name: 'west', retryAttempts: 1 });
    const starting = shards.start({ imports: [typeOrmAlone, jobs({ databaseAtStart: undefined })] });
    await expect(starting).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describeOn(sqlite, "With databaseAtStart: 'optional' on $name, an application", (server) => {
  const shards = Shards.on({ west: server });

  /** A file where the folder of the database should be. */
  const blocked = async () => {
    const folder = join(server.url, shards.get('west').database.name);
    await writeFile(folder, '');
    return { folder, options: { type: 'better-sqlite3', database: join(folder, 'jobs.db') } as const };
  };

  it('starts without the folder of its database, and works when it is there', async () => {
    const { folder, options } = await blocked();
    const logger = new MemoryLogger();
    const app = await shards.start({
      imports: [
        TypeOrmModule.forRoot({ ...options, name: 'west', manualInitialization: true }),
        JobsModule.forRoot({ ...JOBS, logger, unknownKinds: 'allow' }),
      ],
    });
    await expect(clientOf(app, 'west').enqueue('work')).rejects.toBeInstanceOf(DatabaseNotReadyError);
    await rm(folder);
    await until(() => logger.lines.some((line) => line.includes('The database is open')));
    expect(await clientOf(app, 'west').enqueue('work')).toMatchObject({ kind: 'work' });
    await app.close();
    await rm(folder, { recursive: true });
  });

  it('still refuses transactional handlers at the start', async () => {
    const { folder, options } = await blocked();
    @Injectable()
    class Handlers {
      @JobHandler('work', { queue: 'west', transactional: true })
      work(): void {}
    }
    const starting = shards.start({
      imports: [
        TypeOrmModule.forRoot({ ...options, name: 'west', manualInitialization: true }),
        JobsModule.forRoot({ ...JOBS, logger: new MemoryLogger() }),
      ],
      providers: [Handlers],
    });
    await expect(starting).rejects.toBeInstanceOf(UnsupportedDatabaseError);
    await rm(folder);
  });
});

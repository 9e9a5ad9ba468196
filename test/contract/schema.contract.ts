import { describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { SchemaVersionError, UnsupportedDatabaseError } from '../../lib/job/storage-errors.js';
import type { Dialect } from '../../lib/storage/sql/dialect.js';
import { JobEntity, jobEntity } from '../../lib/storage/typeorm/job-entity.js';
import { jobsMigrations } from '../../lib/storage/typeorm/jobs-migrations.js';
import { dialectFor } from '../../lib/storage/typeorm/dialect-for.js';
import { SchemaMigrator } from '../../lib/storage/typeorm/schema-migrator.js';
import type { SchemaDialect } from '../../lib/storage/sql/schema-dialect.js';
import { commentFor, SCHEMA_VERSIONS, versionOf } from '../../lib/storage/sql/schema-version.js';
import { FreshDatabases } from '../support/fresh-database.js';
import { until } from '../support/until.js';
import { KIND, LONG, type SqlStore } from '../support/store.js';

const COLUMNS = [
  ...['id', 'kind', 'run_at', 'payload', 'status', 'created_at', 'updated_at', 'result'],
  ...['attempts_done', 'last_attempt_at', 'last_error'],
];

const CURRENT = SCHEMA_VERSIONS.at(-1)!.version;
const NEXT = CURRENT + 1;

const SIDE_TABLES = [
  ...[
    'attempts',
    'audit',
    'chores',
    'controls',
    'events',
    'keys',
    'labels',
    'listeners',
    'logs',
    'minutes',
    'schedules',
  ],
  'workers',
];

/** The tables of a module with this prefix, in order. */
function tablesWith(prefix: string): string[] {
  return [`${prefix}jobs`, ...SIDE_TABLES.map((table) => `${prefix}jobs_${table}`)];
}

const lending = ({ errors }: Dialect) => ({
  answerMs: 30_000,
  patienceMs: 1_000,
  errors,
  preparedStatements: true,
});

/** The table: how it is created, and what TypeORM sees of it. */
export function schemaContract(store: SqlStore): void {
  const fresh = new FreshDatabases(store);
  const tablesOf = async (dataSource: DataSource) => {
    if (store.isSqlite) {
      const found = await dataSource.query<{ name: string }[]>(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`,
      );
      return found.map(({ name }) => name);
    }
    const schema = store.isPostgres ? `current_schema()` : 'DATABASE()';
    const rows = await store.sql(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${schema}`,
      [],
      dataSource,
    );
    return rows.map(({ name }) => name as string).toSorted();
  };
  describe('1. The table', () => {
    it('has the fields of a job as its columns', async () => {
      const rows = await store.sql(
        store.isSqlite
          ? `SELECT name FROM pragma_table_info('nest_jobs')`
          : `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'nest_jobs'`,
      );
      expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(COLUMNS));
    });

    it('stores the fields of a job in them', async () => {
      const payload = { a: 1 };
      const { id } = await store.client.enqueue(KIND, payload, { maxAttempts: 2 });
      const read = async () =>
        (await store.sql(`SELECT ${COLUMNS.join(', ')} FROM nest_jobs WHERE id = ?`, [id]))[0]!;
      const json = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value);
      expect(await read()).toMatchObject({
        ...{ id, kind: KIND, status: 'PENDING', attempts_done: 0, last_error: null, result: null },
        last_attempt_at: null,
      });
      expect(json((await read()).payload)).toEqual(payload);
      for (const attempt of [1, 2]) {
        await store.queue.dequeue([KIND], () => {
          if (attempt === 1) throw new Error('first');
          return [true];
        });
        if (attempt === 1) await store.once(id, (job) => job.attemptsDone === 1);
        await store.sql(`UPDATE nest_jobs SET run_at = created_at, due = ${store.isPostgres ? 'true' : '1'}`);
      }
      const row = await read();
      expect(row).toMatchObject({ status: 'DONE', attempts_done: 2 });
      expect(row.last_error).toMatch(/^Error: first/);
      expect(json(row.result)).toEqual([true]);
    });

    it('refuses an unknown status', async () => {
      await store.client.enqueue(KIND);
      await expect(store.sql(`UPDATE nest_jobs SET status = 'RUNNING'`)).rejects.toThrow();
    });
  });

  describe('migrate', () => {
    it('auto: ten processes that open at the same time create one table', async () => {
      await fresh.within(async (dataSource) => {
        await Promise.all(Array.from({ length: 10 }, () => fresh.queueOn(dataSource).open()));
        expect(await tablesOf(dataSource)).toEqual(tablesWith('nest_'));
        await fresh.works(dataSource);
      });
    });

    it('auto: leaves an existing table alone', async () => {
      await store.client.enqueue(KIND, null, { id: 'stays' });
      await fresh.queueOn(store.dataSource).open();
      expect(await store.job('stays')).toMatchObject({ status: 'PENDING' });
    });

    it('manual: fails with a SchemaVersionError without a table, and creates none', async () => {
      await fresh.within(async (dataSource) => {
        const opening = fresh.queueOn(dataSource, { migrate: 'manual' }).open();
        await expect(opening).rejects.toBeInstanceOf(SchemaVersionError);
        await expect(opening).rejects.toMatchObject({ table: 'nest_jobs', found: 0, wanted: CURRENT });
        expect(await tablesOf(dataSource)).toEqual([]);
      });
    });

    it('manual: accepts the table that the migrations created', async () => {
      await fresh.within(
        async (dataSource) => {
          await dataSource.runMigrations();
          await fresh.queueOn(dataSource, { migrate: 'manual' }).open();
          await fresh.works(dataSource);
        },
        { migrations: jobsMigrations() },
      );
    });

    it.each(['auto', 'manual'] as const)(
      '%s: refuses a table of the same name that is not ours',
      async (migrate) => {
        await fresh.within(async (dataSource) => {
          await dataSource.query('CREATE TABLE nest_jobs (id int PRIMARY KEY)');
          const opening = fresh.queueOn(dataSource, { migrate }).open();
          await expect(opening).rejects.toBeInstanceOf(SchemaVersionError);
          await expect(opening).rejects.toThrow(/not made by this package/);
          await dataSource.query('INSERT INTO nest_jobs (id) VALUES (1)');
        });
      },
    );

    it('auto: ten processes of a newer release upgrade the table once while this release keeps working', async () => {
      await fresh.within(async (dataSource) => {
        const queue = await fresh.queueOn(dataSource).open();
        const client = store.clientOf(queue);
        await store.work({ [KIND]: () => 'fine' }, {}, queue);
        const dialect = dialectFor(dataSource, store.queueSettings());
        const { quoted } = dialect.table;
        const added = `ALTER TABLE ${quoted} ADD COLUMN note varchar(20) NOT NULL DEFAULT 'none'`;
        const up = {
          postgres: [added, `COMMENT ON TABLE ${quoted} IS '${commentFor(NEXT)}'`],
          mysql: [added, `ALTER TABLE ${quoted} COMMENT = '${commentFor(NEXT)}'`],
          'better-sqlite3': [added.replace(' note ', ` note /* ${commentFor(NEXT)} */ `)],
        }[store.server.type];
        const step = { version: NEXT, up, down: [], columns: ['note'] };
        const schema = { ...dialect.schema, steps: [...dialect.schema.steps, step] };
        const newer: Dialect = { ...dialect, schema };
        const connections = dialect.connect(dataSource, lending(dialect));
        const upgrades = Array.from({ length: 10 }, () =>
          new SchemaMigrator(connections, newer, store.events).run('auto'),
        );
        for (let n = 0; n < 200; n++) await client.enqueue(KIND, n, { id: `job ${n}` });
        await Promise.all(upgrades);
        await client.enqueue(KIND, null, { id: 'after' });
        const left = async () =>
          (await store.sql("SELECT 1 FROM nest_jobs WHERE status <> 'DONE'", [], dataSource)).length;
        await until(async () => (await left()) === 0, { what: '"all are DONE"' });
        await store.stopWorkers();
        const rows = await store.sql('SELECT note, attempts_done FROM nest_jobs', [], dataSource);
        expect(rows).toEqual(Array(201).fill({ note: 'none', attempts_done: 1 }));
        expect(store.logs.filter(({ message }) => message.includes(`to version ${NEXT}`))).toHaveLength(1);
        await fresh.works(dataSource); // a restart of this release
        await queue.close();
        await connections.close();
      });
    });

    if (store.isMysql)
      it("auto: processes on nodes of a cluster, which do not see each other's locks, make one table", async () => {
        for (let round = 0; round < 5; round++) {
          await fresh.within(async (dataSource) => {
            const dialect = dialectFor(dataSource, store.queueSettings());
            const whileMigrating: SchemaDialect['whileMigrating'] = (_sql, work) => work();
            const unlocked = { ...dialect, schema: { ...dialect.schema, whileMigrating } };
            const connections = dialect.connect(dataSource, lending(dialect));
            const migrators = Array.from(
              { length: 4 },
              () => new SchemaMigrator(connections, unlocked, store.events),
            );
            await Promise.all(migrators.map((migrator) => migrator.run('auto')));
            await connections.close();
            expect(await tablesOf(dataSource)).toEqual(tablesWith('nest_'));
            await fresh.works(dataSource);
          });
        }
      });

    it('keeps several tables apart by their prefix, no matter how long', async () => {
      await fresh.within(async (dataSource) => {
        const prefixes = ['', 'other_', 'Upper_', `${'x'.repeat(39)}_`, `${'x'.repeat(39)}y`, '2nd_'];
        for (const tablePrefix of prefixes) {
          await fresh.queueOn(dataSource, { tablePrefix }).open();
          await fresh.works(dataSource, { tablePrefix });
        }
        expect(await tablesOf(dataSource)).toEqual(prefixes.flatMap(tablesWith).toSorted());
      });
    });

    if (store.isPostgres) {
      it("creates the table in the configured schema, or in the DataSource's", async () => {
        await fresh.within(async (dataSource) => {
          await dataSource.query('CREATE SCHEMA "Work Space"');
          await fresh.queueOn(dataSource, { schema: 'Work Space' }).open();
          await fresh.works(dataSource, { schema: 'Work Space' });
          expect(await tablesOf(dataSource)).toEqual([]);
        });
      });
    } else {
      it('refuses a schema, because this database has none', () => {
        expect(() => fresh.queueOn(store.dataSource, { schema: 'work' })).toThrow(UnsupportedDatabaseError);
      });

      if (store.isMysql)
        it("keeps every character even if the database's own character set is latin1", async () => {
          await fresh.within(async (dataSource) => {
            const name = String(dataSource.driver.database);
            await dataSource.query(`ALTER DATABASE ${name} CHARACTER SET latin1`);
            const queue = await fresh.queueOn(dataSource).open();
            const text = '\u{1F600} é €';
            const { id } = await store.clientOf(queue).enqueue(text, text, { id: text });
            await queue.dequeue([text], () => text);
            expect(await queue.get(id)).toMatchObject({
              id: text,
              kind: text,
              payload: text,
              result: text,
            });
            await store.clientOf(queue).enqueue(text, null, { id: 'failing' });
            await queue.dequeue([text], () => {
              throw new Error(text);
            });
            expect((await queue.get('failing'))!.lastError).toContain(`Error: ${text}\n`);
          });
        });
    }
  });

  describe('version 2', () => {
    const addedBy = (version: number) =>
      dialectFor(store.dataSource, store.queueSettings()).schema.steps.find(
        (step) => step.version === version,
      )!;

    it('brings a table of version 1 up, and its jobs run', async () => {
      await fresh.within(async (dataSource) => {
        for (const statement of addedBy(1).up) await dataSource.query(statement);
        const now = store.isPostgres
          ? 'now()'
          : store.isSqlite
            ? "strftime('%Y-%m-%d %H:%M:%f', 'now')"
            : 'UTC_TIMESTAMP(6)';
        await dataSource.query(
          `INSERT INTO nest_jobs (id, kind, run_at, created_at, updated_at) VALUES ('old', '${KIND}', ${now}, ${now}, ${now})`,
        );
        const queue = await fresh.queueOn(dataSource).open();
        await queue.dequeue([KIND], () => 'ran');
        expect(await queue.get('old')).toMatchObject({ status: 'DONE', result: 'ran' });
        expect(await tablesOf(dataSource)).toEqual(tablesWith('nest_'));
        await queue.close();
      });
    });

    it('goes back to version 1, whose release then starts on the table', async () => {
      await fresh.within(
        async (dataSource) => {
          await dataSource.runMigrations();
          await dataSource.undoLastMigration();
          const dialect = dialectFor(dataSource, store.queueSettings());
          const older = { ...dialect.schema, steps: [addedBy(1)] };
          const found = await older.find({
            query: (text, values) => store.sql(text, values ?? [], dataSource),
          });
          expect(versionOf(found, older.steps)).toBe(1);
          expect(await tablesOf(dataSource)).toEqual(['migrations', 'nest_jobs']);
        },
        { migrations: jobsMigrations() },
      );
    });
  });

  describe('jobsMigrations', () => {
    it('create and drop the table', async () => {
      await fresh.within(
        async (dataSource) => {
          const tables = await tablesOf(dataSource);
          await dataSource.runMigrations();
          expect(await tablesOf(dataSource)).toEqual([...tablesWith('custom_'), 'migrations']);
          await fresh.works(dataSource, { tablePrefix: 'custom_' });
          for (const _ of SCHEMA_VERSIONS) await dataSource.undoLastMigration();
          expect(await tablesOf(dataSource)).toEqual([...tables, 'migrations']);
          await dataSource.runMigrations();
          await fresh.works(dataSource, { tablePrefix: 'custom_' });
        },
        { migrations: jobsMigrations({ tablePrefix: 'custom_' }) },
      );
    });

    it('take over a table that migrate: auto created, with its jobs', async () => {
      await fresh.within(
        async (dataSource) => {
          const queue = await fresh.queueOn(dataSource).open();
          await store.clientOf(queue).enqueue(KIND, null, { id: 'stays' });
          await dataSource.runMigrations();
          expect(await queue.get('stays')).toMatchObject({ status: 'PENDING' });
        },
        { migrations: jobsMigrations() },
      );
    });

    it('have different names for each table', () => {
      const names = ['a_', 'b_'].flatMap((tablePrefix) =>
        jobsMigrations({ tablePrefix }).map((Migration) => new Migration().name),
      );
      expect(new Set(names).size).toBe(names.length);
    });
  });

  describe('JobEntity', () => {
    it('keeps synchronize away from the table', async () => {
      const entities = [JobEntity];
      await fresh.within(
        async (dataSource) => {
          expect(await tablesOf(dataSource)).toEqual([]);
          await fresh.queueOn(dataSource).open();
          await dataSource.synchronize();
          const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
          expect([...upQueries, ...downQueries].map(({ query }) => query)).toEqual([]);
          await fresh.works(dataSource);
        },
        { entities, synchronize: true },
      );
    });

    it('reads jobs through a repository', async () => {
      const dataSource = await store.database.connect({
        entities: [JobEntity, jobEntity({ tablePrefix: 'unused_' })],
        ...(store.isMysql && { timezone: 'Z' }),
      });
      try {
        const runAt = new Date('2031-02-03T04:05:06.789Z');
        await store.client.enqueue(KIND, { a: [1] }, { id: 'later', runAt, priority: 2, maxAttempts: 3 });
        await store.client.enqueue(KIND, null, { id: 'done' });
        await store.queue.dequeue([KIND], () => ({ sent: true }));
        await store.client.enqueue(KIND, null, { id: 'running' });
        const lease = await store.claimOne(LONG);
        const repository = dataSource.getRepository(JobEntity);
        expect(await repository.findOneByOrFail({ id: 'later' })).toMatchObject({
          ...{ id: 'later', kind: KIND, payload: { a: [1] }, status: 'PENDING', runAt, attemptsDone: 0 },
          ...{ priority: 2, maxAttempts: 3, crashes: 0, lastError: null, result: null, lockedBy: null },
        });
        const done = await repository.findOneByOrFail({ status: 'DONE' });
        const { createdAt, updatedAt, lastAttemptAt, runAt: ranAt } = await store.job('done');
        expect(done).toMatchObject({ id: 'done', result: { sent: true }, attemptsDone: 1 });
        const pairs = [
          [done.createdAt, createdAt],
          [done.updatedAt, updatedAt],
          [done.lastAttemptAt, lastAttemptAt],
          [done.runAt, ranAt],
        ] as [Date, Date][];
        for (const [read, stored] of pairs) {
          expect(Math.abs(read.getTime() - stored.getTime())).toBeLessThanOrEqual(1);
        }
        const running = await repository.findOneByOrFail({ id: 'running' });
        expect(running).toMatchObject({ lockedBy: LONG.workerId, attemptsDone: 0 });
        const { lockedUntil } = running as { lockedUntil: Date };
        expect(Math.abs(lockedUntil.getTime() - lease.lockedUntil.getTime())).toBeLessThanOrEqual(1);
        await store.client.cancel('later', { reason: 'no more' });
        const cancelled = await repository.findOneByOrFail({ status: 'CANCELLED' });
        expect(cancelled).toMatchObject({ id: 'later', cancelReason: 'no more' });
        expect(await repository.countBy({ kind: KIND })).toBe(3);
      } finally {
        await dataSource.destroy();
      }
    });
  });
}

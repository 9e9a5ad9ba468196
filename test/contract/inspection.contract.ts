import { describe, expect, it } from '@jest/globals';
import type { DataSource, DataSourceOptions } from 'typeorm';
import type { InspectionBounds, StorageCode, StorageFinding } from '../../lib/queue/inspector.js';
import { dialectFor } from '../../lib/storage/typeorm/dialect-for.js';
import { sqlThrough } from '../../lib/storage/sql/sql.js';
import { SIDE_TABLE_KEYS } from '../../lib/storage/sql/side-tables.js';
import { FreshDatabases } from '../support/fresh-database.js';
import type { SqlStore } from '../support/store.js';
import { until } from '../support/until.js';

const BOUNDS: InspectionBounds = { longTransactionMs: 86_400_000, deadRows: 1_000_000_000 };

/** What an inspection finds in a database: each trouble is planted, found by its code, and comes with a remedy. */
export function inspectionContract(store: SqlStore): void {
  const fresh = new FreshDatabases(store);
  const { isPostgres, isMysql, isSqlite } = store;

  /** What the server of the tests has that a server of users should not have. */
  const ofServer = async (dataSource: DataSource): Promise<StorageCode[]> => {
    if (!isPostgres) return [];
    const isOff = async (name: string) =>
      (await dataSource.query<Record<string, string>[]>(`SHOW ${name}`))[0]![name] === 'off';
    return [
      ...((await isOff('fsync')) ? (['not-durable'] as const) : []),
      ...((await isOff('autovacuum')) ? (['autovacuum-off'] as const) : []),
    ];
  };
  const inspect = async (dataSource: DataSource, bounds: Partial<InspectionBounds> = {}) => {
    const queue = fresh.queueOn(dataSource);
    try {
      return await queue.inspector.inspect({ ...BOUNDS, ...bounds });
    } finally {
      await queue.close();
    }
  };
  /** Plants a trouble in a new database with a table. @returns what is found beside what the server has anyway */
  const findings = async (
    plant: (dataSource: DataSource) => Promise<unknown>,
    bounds: Partial<InspectionBounds> = {},
    options: Partial<DataSourceOptions> = {},
  ): Promise<readonly StorageFinding[]> => {
    let found: StorageFinding[] = [];
    await fresh.within(async (dataSource) => {
      const queue = await fresh.queueOn(dataSource).open();
      await queue.close();
      await plant(dataSource);
      found = [...(await inspect(dataSource, bounds)).findings];
      for (const code of await ofServer(dataSource))
        found.splice(
          found.findIndex((one) => one.code === code),
          1,
        );
    }, options);
    return found;
  };
  const plantedBy = (...statements: string[]) =>
    findings(async (dataSource) => {
      for (const statement of statements) await dataSource.query(statement);
    });
  /** One trouble, with what to do about it. */
  const one = (code: StorageCode, trouble: string, remedy: string) => [
    expect.objectContaining({
      code,
      trouble: expect.stringContaining(trouble),
      remedy: expect.stringContaining(remedy),
    }),
  ];
  const dropIndex = (table: string, index: string) =>
    isMysql ? `ALTER TABLE ${table} DROP KEY ${index}` : `DROP INDEX ${index}`;

  describe('An inspection of the database', () => {
    it('finds nothing in a healthy one but what its server says of itself', async () => {
      expect(await findings(async () => undefined)).toEqual([]);
    });

    it('wants the indexes that the table is made with, and no others', async () => {
      await fresh.within(async (dataSource) => {
        await (await fresh.queueOn(dataSource).open()).close();
        const queryRunner = dataSource.createQueryRunner();
        const sql = sqlThrough(queryRunner);
        const dialect = await dialectFor(dataSource, { tablePrefix: 'nest_' }).examine(sql);
        const { inspection } = dialect;
        const { wantedIndexes } = inspection;
        const tables = [...new Set(wantedIndexes.map(({ table }) => table))];
        const found = (await inspection.indexes(sql, tables)).filter(
          ({ name }) => !name.startsWith('sqlite_autoindex'),
        );
        const plain = ({ table, name, columns, where }: (typeof found)[number]) => ({
          table,
          name,
          columns,
          where,
        });
        const wanted = wantedIndexes.map((index) => plain({ ...index, isUsable: true }));
        expect(wanted).toHaveLength(found.length);
        expect(wanted).toEqual(expect.arrayContaining(found.map(plain)));
        await queryRunner.release();
      });
    });

    it('finds that there is no table', async () => {
      await fresh.within(async (dataSource) => {
        const inspection = await inspect(dataSource);
        expect(inspection).toMatchObject({ schemaVersion: 0, isUsable: false });
        expect(inspection.findings).toEqual(
          expect.arrayContaining(one('table-missing', 'There is no table', 'nestjs-typeorm-jobs migrate')),
        );
      });
    });

    it('finds a table that something else has made', async () => {
      await fresh.within(async (dataSource) => {
        await dataSource.query('CREATE TABLE nest_jobs (id int)');
        const inspection = await inspect(dataSource);
        expect(inspection).toMatchObject({ schemaVersion: null, isUsable: false });
        expect(inspection.findings).toEqual(
          expect.arrayContaining(one('table-unsuitable', 'not made by this package', 'tablePrefix')),
        );
      });
    });

    it('finds a table of an older version', async () => {
      await fresh.within(async (dataSource) => {
        const [first] = dialectFor(dataSource, { tablePrefix: 'nest_' }).schema.steps;
        for (const statement of first!.up) await dataSource.query(statement);
        const inspection = await inspect(dataSource);
        expect(inspection).toMatchObject({ schemaVersion: 1, isUsable: false });
        expect(inspection.findings).toEqual(
          expect.arrayContaining(one('schema-behind', 'is of version 1', 'nestjs-typeorm-jobs migrate')),
        );
      });
    });

    if (!isSqlite) {
      const setComment = (comment: string) =>
        isPostgres
          ? `COMMENT ON TABLE nest_jobs IS '${comment}'`
          : `ALTER TABLE nest_jobs COMMENT = '${comment}'`;

      it('finds a table of a newer version', async () => {
        expect(await plantedBy(setComment('nestjs-typeorm-jobs schema 999'))).toEqual(
          one('schema-ahead', 'is of version 999', 'newest release'),
        );
      });

      it('finds that the comment with the version is lost, and tells the statement that brings it back', async () => {
        const [found, ...others] = await plantedBy(setComment(''));
        expect([found]).toEqual(one('version-lost', 'comment', 'Run: '));
        expect(others).toEqual([]);
        const statement = found!.remedy.replace('Run: ', '');
        expect(await plantedBy(setComment(''), statement)).toEqual([]);
      });
    }

    it('finds a view in the place of the table', async () => {
      expect(
        await plantedBy(
          'ALTER TABLE nest_jobs RENAME TO kept',
          'CREATE VIEW nest_jobs AS SELECT * FROM kept',
        ),
      ).toEqual(one('table-unsuitable', 'is a view', 'table'));
    });

    it('finds a lost column', async () => {
      expect(await plantedBy('ALTER TABLE nest_jobs DROP COLUMN progress')).toEqual(
        one('column-missing', 'the column progress', 'Add them again'),
      );
    });

    it('finds a lost table beside the jobs', async () => {
      expect(await plantedBy('DROP TABLE nest_jobs_controls')).toEqual(
        one('side-table-missing', 'nest_jobs_controls', 'backup'),
      );
    });

    it.each([
      ['nest_jobs', 'nest_jobs_ready'],
      ['nest_jobs', 'nest_jobs_running'],
      ['nest_jobs_labels', 'nest_jobs_labels_job'],
    ])('finds a lost index of %s: %s, and tells the statement that makes it', async (table, index) => {
      const found = await plantedBy(dropIndex(table, index));
      expect(found).toEqual(one('index-missing', `no index ${index}`, 'Run: '));
      const statement = found[0]!.remedy.replace('Run: ', '');
      expect(await plantedBy(dropIndex(table, index), statement)).toEqual([]);
    });

    it('finds an index on other columns', async () => {
      const changed = isMysql
        ? 'ALTER TABLE nest_jobs ADD KEY nest_jobs_ready (kind)'
        : 'CREATE INDEX nest_jobs_ready ON nest_jobs (kind)';
      expect(await plantedBy(dropIndex('nest_jobs', 'nest_jobs_ready'), changed)).toEqual(
        one('index-differs', 'is on (kind)', 'Drop it, and run: '),
      );
    });

    it('is content with an index under another name', async () => {
      const renamed = isMysql
        ? ['ALTER TABLE nest_jobs RENAME KEY nest_jobs_ready TO other']
        : isPostgres
          ? ['ALTER INDEX nest_jobs_ready RENAME TO other']
          : [
              'DROP INDEX nest_jobs_running',
              "CREATE INDEX other ON nest_jobs (id) /* it */ WHERE status = 'PENDING' AND locked_by IS NOT NULL",
            ];
      expect(await plantedBy(...renamed)).toEqual([]);
    });

    if (isPostgres) ofPostgres();
    if (isMysql) ofMysql();
    if (isSqlite) ofSqlite();
  });

  function ofPostgres(): void {
    it('finds an index that is invalid', async () => {
      const invalid = `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'nest_jobs_ready'::regclass`;
      expect(await plantedBy(invalid)).toEqual(
        one('index-unusable', 'nest_jobs_ready', 'Drop it, and run: '),
      );
    });

    it('finds a table that a crash empties', async () => {
      expect(await plantedBy('ALTER TABLE nest_jobs SET UNLOGGED')).toEqual(
        one('not-durable', 'unlogged', 'SET LOGGED'),
      );
    });

    it('finds a table that nobody vacuums', async () => {
      expect(await plantedBy('ALTER TABLE nest_jobs SET (autovacuum_enabled = off)')).toEqual(
        one('autovacuum-off', 'nest_jobs', 'RESET (autovacuum_enabled)'),
      );
    });

    it.each([
      ['synchronous_commit', 'off', 'not-durable', 'synchronous_commit is off'],
      ['statement_timeout', '1000', 'timeout-short', 'statement_timeout is 1000 ms'],
    ] as const)('finds a setting that does harm: %s = %s', async (name, value, code, trouble) => {
      await fresh.within(async (dataSource, database) => {
        await (await fresh.queueOn(dataSource).open()).close();
        await dataSource.query(`ALTER DATABASE ${database.name} SET ${name} = ${value}`);
        const set = await database.connect();
        const { findings: found } = await inspect(set).finally(() => set.destroy());
        expect(found).toEqual(expect.arrayContaining(one(code, trouble, `Set ${name}`)));
      });
    });

    it('finds a setting with which jobs cannot be kept here, and goes on looking', async () => {
      await fresh.within(async (dataSource, database) => {
        await (await fresh.queueOn(dataSource).open()).close();
        await dataSource.query('DROP INDEX nest_jobs_ready');
        await dataSource.query(`ALTER DATABASE ${database.name} SET array_nulls = off`);
        const set = await database.connect();
        const { findings: found, isUsable } = await inspect(set).finally(() => set.destroy());
        expect(isUsable).toBe(false);
        expect(found).toEqual(
          expect.arrayContaining([
            ...one('server-unsuitable', 'array_nulls = off', 'Set it to on'),
            ...one('index-missing', 'nest_jobs_ready', 'Run: '),
          ]),
        );
      });
    });

    it('finds a table that takes part in inheritance', async () => {
      expect(await plantedBy('CREATE TABLE old_jobs () INHERITS (nest_jobs)')).toEqual(
        one('table-unsuitable', 'takes part in inheritance', 'in one plain table'),
      );
    });

    it('finds another collation', async () => {
      expect(
        await plantedBy('ALTER TABLE nest_jobs ALTER COLUMN kind TYPE varchar(255) COLLATE "POSIX"'),
      ).toEqual(one('collation-changed', 'kind', 'COLLATE "C"'));
    });

    it('finds more dead rows than live ones', async () => {
      const found = await findings(
        async (dataSource) => {
          await dataSource.query(
            `INSERT INTO nest_jobs (id, kind) SELECT 'j' || n, 'mail' FROM generate_series(1, 500) AS n`,
          );
          await dataSource.query('DELETE FROM nest_jobs');
          const dead = `SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'nest_jobs'`;
          const isCounted = async () =>
            Number((await dataSource.query<{ dead: string }[]>(dead))[0]!.dead) >= 400;
          await until(isCounted, { what: 'the server has counted the dead rows', everyMs: 50 });
        },
        { deadRows: 400 },
      );
      expect(found).toEqual(one('bloat', 'nest_jobs has about', 'VACUUM ANALYZE'));
    });

    it('finds what this account may not do', async () => {
      await fresh.within(async (dataSource, database) => {
        await (await fresh.queueOn(dataSource).open()).close();
        const role = `${database.name}_reader`;
        await dataSource.query(`CREATE ROLE ${role}`);
        try {
          await dataSource.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
          await dataSource.query(`ALTER DATABASE ${database.name} SET role = ${role}`);
          const set = await database.connect();
          const { findings: found, isUsable } = await inspect(set).finally(() => set.destroy());
          expect(isUsable).toBe(false);
          const missing = found.filter(({ code }) => code === 'permission-missing');
          expect(missing).toHaveLength(1 + Object.keys(SIDE_TABLE_KEYS).length);
          expect([missing[0]]).toEqual(one('permission-missing', 'INSERT, UPDATE, DELETE', 'GRANT'));
        } finally {
          await dataSource.query(`ALTER DATABASE ${database.name} RESET role`);
          await dataSource.query(`DROP OWNED BY ${role}`);
          await dataSource.query(`DROP ROLE ${role}`);
        }
      });
    });
  }

  function ofMysql(): void {
    it('finds an index that the optimizer ignores', async () => {
      expect(await plantedBy('ALTER TABLE nest_jobs ALTER INDEX nest_jobs_ready IGNORED')).toEqual(
        one('index-unusable', 'nest_jobs_ready', 'NOT IGNORED'),
      );
    });

    it('finds a table beside the jobs that has no transactions', async () => {
      expect(await plantedBy('ALTER TABLE nest_jobs_chores ENGINE = Aria')).toEqual(
        one('table-unsuitable', 'Aria', 'ENGINE = InnoDB'),
      );
    });

    it('finds another collation', async () => {
      const statement =
        'ALTER TABLE nest_jobs MODIFY kind varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL';
      expect(await plantedBy(statement)).toEqual(
        one('collation-changed', 'kind (utf8mb4_general_ci)', 'utf8mb4_bin'),
      );
    });

    it('finds that the server breaks off the statements of an account, which may see no other sessions', async () => {
      await fresh.within(async (dataSource, database) => {
        await (await fresh.queueOn(dataSource).open()).close();
        const [user, password] = [database.name.slice(0, 30), 'secret'];
        await dataSource.query(
          `GRANT ALL ON ${database.name}.* TO '${user}'@'%' IDENTIFIED BY '${password}' WITH MAX_STATEMENT_TIME 2`,
        );
        const url = new URL(database.url);
        Object.assign(url, { username: user, password });
        try {
          const limited = await database.connect({ url: url.href });
          const { findings: found } = await inspect(limited).finally(() => limited.destroy());
          expect(found).toEqual(one('timeout-short', 'max_statement_time is 2000 ms', 'at least 5000 ms'));
        } finally {
          await dataSource.query(`DROP USER '${user}'@'%'`);
        }
      });
    });

    it('finds old versions that the server does not purge', async () => {
      const found = await findings(async () => undefined, { deadRows: 0 });
      expect(found).toEqual(one('bloat', 'history list length', 'innodb_trx'));
    });
  }

  function ofSqlite(): void {
    it('finds a file that is empty for the most part', async () => {
      const found = await findings(
        async (dataSource) => {
          await dataSource.query('CREATE TABLE big (text text)');
          await dataSource.query(
            `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             INSERT INTO big SELECT hex(randomblob(2000)) FROM n`,
          );
          await dataSource.query('DROP TABLE big');
        },
        { deadRows: 400 },
      );
      expect(found).toEqual(one('bloat', 'are empty', 'VACUUM'));
    });
  }

  if (!isSqlite) {
    describe('An inspection of the database', () => {
      it('finds a transaction that has been open for long', async () => {
        const found = await findings(
          async (dataSource) => {
            const queryRunner = dataSource.createQueryRunner();
            await queryRunner.startTransaction();
            await queryRunner.query(
              isPostgres
                ? `INSERT INTO nest_jobs (id, kind) VALUES ('open', 'mail')`
                : `INSERT INTO nest_jobs (id, kind, run_at, created_at, updated_at) VALUES ('open', 'mail', NOW(), NOW(), NOW())`,
            );
            await queryRunner.query(isPostgres ? 'SELECT pg_sleep(0.3)' : 'SELECT SLEEP(0.3)');
          },
          { longTransactionMs: 200 },
        );
        expect(found).toEqual(one('long-transaction', 'has been open for', 'end it'));
      });
    });
  }
}

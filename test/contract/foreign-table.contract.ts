import { describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient } from '../../lib/client/job-client.js';
import { InvalidOptionError } from '../../lib/job/errors.js';
import { SchemaVersionError, UnsupportedDatabaseError } from '../../lib/job/storage-errors.js';
import { commentFor, SCHEMA_VERSIONS } from '../../lib/storage/sql/schema-version.js';
import { jobEntity, JobEntity } from '../../lib/storage/typeorm/job-entity.js';
import { FreshDatabases } from '../support/fresh-database.js';
import { KIND, type SqlStore } from '../support/store.js';

const MIGRATE = ['auto', 'manual'] as const;

/** What others do to the table, and what the table is when others have made it. */
export function foreignTableContract(store: SqlStore): void {
  const fresh = new FreshDatabases(store);
  const commentIn = async (dataSource: DataSource) => {
    const text = store.isPostgres
      ? `SELECT obj_description('nest_jobs'::regclass, 'pg_class') AS comment`
      : `SELECT table_comment AS comment FROM information_schema.tables WHERE table_name = 'nest_jobs' AND table_schema = DATABASE()`;
    const [row] = await dataSource.query<{ comment: string | null }[]>(text);
    return row!.comment;
  };
  const setComment = (dataSource: DataSource, comment: string) =>
    dataSource.query(
      store.isPostgres
        ? `COMMENT ON TABLE nest_jobs IS '${comment}'`
        : `ALTER TABLE nest_jobs COMMENT = '${comment}'`,
    );

  if (!store.isSqlite) {
    describe('A table that has lost the comment of its version, as in a dump without comments', () => {
      it.each(MIGRATE)('is recognized by its columns, with its jobs (migrate: %s)', async (migrate) => {
        await fresh.within(async (dataSource) => {
          const queue = await fresh.queueOn(dataSource).open();
          await new JobClient(queue).enqueue('of before', null, { id: 'stays' });
          await setComment(dataSource, '');
          store.logs.length = 0;
          await fresh.works(dataSource, { migrate });
          expect(await queue.get('stays')).toMatchObject({ status: 'PENDING' });
          expect(await commentIn(dataSource)).toBe(
            migrate === 'auto' ? commentFor(SCHEMA_VERSIONS.at(-1)!.version) : emptyComment(),
          );
          const told = migrate === 'auto' ? 'has been written again' : `brings the comment back: ${remedy()}`;
          expect(store.logged('warn', told)).toBe(true);
        });
      });

      it.each(MIGRATE)(
        'keeps a comment that somebody has put in its place (migrate: %s)',
        async (migrate) => {
          await fresh.within(async (dataSource) => {
            await fresh.queueOn(dataSource).open();
            await setComment(dataSource, '@omit');
            await fresh.works(dataSource, { migrate });
            expect(await commentIn(dataSource)).toBe('@omit');
          });
        },
      );

      const emptyComment = () => (store.isPostgres ? null : '');
      const remedy = () => (store.isPostgres ? 'COMMENT ON TABLE' : 'ALTER TABLE');
    });
  }

  describe('A table of other columns under the name', () => {
    it.each(MIGRATE)('is refused, with or without a comment (migrate: %s)', async (migrate) => {
      await fresh.within(async (dataSource) => {
        await dataSource.query('CREATE TABLE nest_jobs (id varchar(10) PRIMARY KEY, kind varchar(10))');
        const opening = fresh.queueOn(dataSource, { migrate }).open();
        await expect(opening).rejects.toBeInstanceOf(SchemaVersionError);
      });
    });
  });

  describe('A view under the name', () => {
    it.each(MIGRATE)('is refused, although it has the columns (migrate: %s)', async (migrate) => {
      await fresh.within(async (dataSource) => {
        await fresh.queueOn(dataSource, { tablePrefix: 'real_' }).open();
        await dataSource.query('CREATE VIEW nest_jobs AS SELECT * FROM real_jobs');
        const opening = fresh.queueOn(dataSource, { migrate }).open();
        await expect(opening).rejects.toBeInstanceOf(UnsupportedDatabaseError);
        await expect(opening).rejects.toThrow(/"nest_jobs" is a view.*Keep the jobs in a/);
      });
    });
  });

  describe('The entityPrefix of the DataSource', () => {
    it('stands before the name of the table, for the queue as for the entity', async () => {
      const entities = [JobEntity, jobEntity({ tablePrefix: 'bulk_' })];
      await fresh.within(
        async (dataSource) => {
          for (const tablePrefix of ['nest_', 'bulk_']) {
            await fresh.works(dataSource, { tablePrefix });
            const jobs = await dataSource.getRepository(`${tablePrefix}jobs`).find();
            expect(jobs).toEqual([expect.objectContaining({ status: 'DONE', result: 'fine' })]);
          }
          expect(await dataSource.query('SELECT status FROM app_nest_jobs')).toEqual([{ status: 'DONE' }]);
        },
        { entityPrefix: 'app_', entities },
      );
    });

    it.each(['quote"d', 'x'.repeat(50)])(
      'is refused where it makes no name of a table: %s',
      async (entityPrefix) => {
        await fresh.within(
          async (dataSource) => {
            expect(() => fresh.queueOn(dataSource)).toThrow(InvalidOptionError);
            expect(() => fresh.queueOn(dataSource)).toThrow(/entityPrefix of the DataSource/);
          },
          { entityPrefix },
        );
      },
    );
  });

  describe('A table that was dropped under the application, as synchronize(true) does', () => {
    it('is made again by open()', async () => {
      await fresh.within(async (dataSource) => {
        const queue = await fresh.queueOn(dataSource).open();
        await dataSource.query('DROP TABLE nest_jobs');
        await expect(new JobClient(queue).enqueue(KIND)).rejects.toThrow(/nest_jobs/);
        await queue.open();
        await new JobClient(queue).enqueue(KIND);
      });
    });
  });
}

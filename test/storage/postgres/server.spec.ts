import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient } from '../../../lib/client/job-client.js';
import { SchemaVersionError, UnsupportedDatabaseError } from '../../../lib/job/storage-errors.js';
import { describeOn, ofType, oneOfEach } from '../../support/databases.js';
import { FreshDatabases } from '../../support/fresh-database.js';
import type { HandlerFn } from '../../../lib/execution/attempt.js';
import { KIND, LONG, SqlStore } from '../../support/store.js';
import { until } from '../../support/until.js';

/* Servers, databases and schemas that are not as usual. */
describeOn(ofType('postgres', oneOfEach), 'On $name', (server) => {
  const store = new SqlStore(server);
  const fresh = new FreshDatabases(store);
  beforeAll(() => store.start(), 60_000);
  beforeEach(() => store.reset());
  afterAll(() => store.stop());

  /** Calls `work` on connections for which the settings hold. */
  const withSettings = (settings: object, work: (dataSource: DataSource) => Promise<void>) =>
    fresh.within(async (dataSource, database) => {
      for (const [name, value] of Object.entries(settings))
        await dataSource.query(`ALTER DATABASE ${database.name} SET ${name} = ${value}`);
      const set = await database.connect();
      await work(set).finally(() => set.destroy());
    });

  describe('A setting', () => {
    it.each([
      ['array_nulls', 'off'],
      ['extra_float_digits', '-5'],
      ['default_transaction_read_only', 'on'],
    ])('with which jobs would be lost is refused by name, value and remedy: %s = %s', async (name, value) => {
      await withSettings({ [name]: value }, async (dataSource) => {
        const opening = fresh.queueOn(dataSource).open();
        await expect(opening).rejects.toBeInstanceOf(UnsupportedDatabaseError);
        await expect(opening).rejects.toThrow(
          new RegExp(`has ${name} = ${value}, with which .*\\. Set it to`),
        );
      });
    });

    it.each([
      ['DateStyle', "'SQL, DMY'"],
      ['IntervalStyle', "'sql_standard'"],
      ['TimeZone', "'Asia/Kathmandu'"],
      ['bytea_output', "'escape'"],
      ['extra_float_digits', '0'],
      ['default_transaction_isolation', "'serializable'"],
      ['standard_conforming_strings', 'off'],
      ['transform_null_equals', 'on'],
      ['enable_indexscan', 'off'],
      ['jit_above_cost', '0'],
    ])('that changes nothing for the queue is worked with: %s = %s', async (name, value) => {
      await withSettings({ [name]: value }, async (dataSource) => {
        const queue = await fresh.queueOn(dataSource).open();
        const client = new JobClient(queue);
        const runAt = new Date('2031-02-03T04:05:06.789Z');
        await client.enqueueMany([
          { kind: KIND, id: 'bytes', payload: Uint8Array.of(0, 92, 255) },
          { kind: 'later', id: 'at', runAt },
        ]);
        const [job] = await queue.claim([KIND], 1, LONG);
        expect(job).toMatchObject({ payload: Uint8Array.of(0, 92, 255) });
        await queue.settle([{ ...job!, outcome: { type: 'retry', delayMs: 0, lastError: 'a \\ b' } }]);
        expect(await client.get('bytes')).toMatchObject({ attemptsDone: 1, lastError: 'a \\ b' });
        expect(await client.get('at')).toMatchObject({ runAt });
      });
    });
  });

  describe('A database whose encoding has not every character', () => {
    const LATIN1 = `ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`;
    const TEXT = '5 € is too much 🎉';

    it('keeps payloads, results and carried contexts exactly, and tells errors in ASCII', async () => {
      await fresh.within(
        async (dataSource) => {
          const queue = await fresh.queueOn(dataSource).open();
          const client = new JobClient(queue, {
            contextCarrier: { capture: () => TEXT, restore: (_carried, next) => next() },
          });
          await client.enqueue(KIND, { [TEXT]: TEXT }, { id: 'done' });
          await client.enqueueMany([
            { kind: 'failing', id: 'failed', payload: TEXT },
            { kind: 'failing', priority: 1, payload: TEXT },
          ]);
          await queue.dequeue([KIND], ({ payload }, { progress, log }) => {
            progress({ [TEXT]: TEXT });
            log(TEXT);
            log({ [TEXT]: TEXT });
            return payload;
          });
          await queue.dequeue(['failing'], () => {
            throw new Error(TEXT);
          });
          expect(await client.get('done')).toMatchObject({
            ...{ status: 'DONE', payload: { [TEXT]: TEXT }, result: { [TEXT]: TEXT }, carried: TEXT },
          });
          expect(await client.get('done')).toMatchObject({ progress: { [TEXT]: TEXT } });
          expect((await client.logs('done')).lines).toMatchObject([
            { text: TEXT },
            { fields: { [TEXT]: TEXT } },
          ]);
          const failed = await client.get('failed');
          expect(await client.attempts('failed')).toMatchObject([{ error: failed!.lastError }]);
          expect(failed).toMatchObject({ status: 'FAILED', payload: TEXT });
          expect(failed!.lastError).toMatch(/^Error: 5 \\u20ac is too much \\ud83c\\udf89\n/);
        },
        {},
        LATIN1,
      );
    });
  });

  describe('The schema', () => {
    it('is one for all processes, whether they name it or not: a wake-up from one reaches the other', async () => {
      await fresh.within(async (dataSource) => {
        const settings = [{}, { schema: 'public' }];
        // Started at the same moment: one lock, so one table is made.
        const queues = await Promise.all(
          [...settings, ...settings, ...settings].map((some) => fresh.queueOn(dataSource, some).open()),
        );
        const woken: unknown[] = [];
        const unwatch = queues[0]!.watch((kinds) => void woken.push(kinds));
        await until(() => woken.length > 0, { what: 'the listener is there' });
        await new JobClient(queues[1]!).enqueue(KIND);
        await until(() => woken.length > 1, { what: 'the wake-up' });
        expect(woken[1]).toEqual([KIND]);
        unwatch();
        for (const queue of queues) await queue.close();
      });
    });

    it('does not follow the search path of the transaction in which a job is enqueued', async () => {
      await fresh.within(async (dataSource) => {
        await dataSource.query('CREATE SCHEMA tenant_1');
        const queue = await fresh.queueOn(dataSource).open();
        await fresh.queueOn(dataSource, { schema: 'tenant_1' }).open(); // the tenant has such a table as well
        const client = new JobClient(queue);
        await dataSource.transaction(async (manager) => {
          await manager.query('SET LOCAL search_path TO tenant_1');
          await client.enqueue(KIND, null, { id: 'of tenant 1', manager });
        });
        expect(await client.get('of tenant 1')).toMatchObject({ status: 'PENDING' });
        await dataSource.query('SET search_path TO tenant_1'); // left on a connection of the pool
        expect(await queue.dequeue([KIND], () => 'fine')).toBe(true);
      });
    });

    it('is refused where none of the search path exists', async () => {
      await withSettings({ search_path: 'nowhere' }, async (dataSource) => {
        const opening = fresh.queueOn(dataSource).open();
        await expect(opening).rejects.toBeInstanceOf(UnsupportedDatabaseError);
        await expect(opening).rejects.toThrow(/no schema of search_path = nowhere exists/);
      });
    });

    it('in which no table may be made is told in a sentence that names the way out', async () => {
      await fresh.within(async (dataSource) => {
        const opening = fresh.queueOn(dataSource, { schema: 'missing' }).open();
        await expect(opening).rejects.toBeInstanceOf(SchemaVersionError);
        await expect(opening).rejects.toThrow(
          /Could not make the table "nest_jobs": schema "missing" does not exist\. .*jobsMigrations\(\)/,
        );
      });
    });
  });

  describe('A transaction that the server ends because it is idle', () => {
    it.each(['ends', 'goes on'])(
      'is told by its reason to a job whose handler %s',
      async (what) => {
        await withSettings({ idle_in_transaction_session_timeout: '200' }, async (dataSource) => {
          const queue = await fresh.queueOn(dataSource).open();
          const { id } = await new JobClient(queue).enqueue(KIND);
          const run: HandlerFn = async (_job, { manager }) => {
            await manager.query('SELECT 1');
            await new Promise((resolve) => setTimeout(resolve, 600));
            if (what === 'goes on') await manager.query('SELECT 2');
          };
          await store.work({ [KIND]: { run, options: { transactional: true } } }, {}, queue);
          const ended = async () => (await queue.get(id))!.status !== 'PENDING';
          await until(ended, { what: 'the job has ended', timeoutMs: 20_000 });
          const { status, lastError } = (await queue.get(id))!;
          expect(status).toBe('FAILED');
          expect(lastError).toMatch(
            /The server ended the connection of the transaction: terminating connection due to idle-in-transaction timeout/,
          );
          await store.stopWorkers();
        });
      },
      30_000,
    );
  });

  describe('A table that is not a plain one', () => {
    const like = async (dataSource: DataSource, ...statements: string[]) => {
      await fresh.queueOn(dataSource, { tablePrefix: 'plain_' }).open();
      for (const statement of statements) await dataSource.query(statement);
      await dataSource.query(`COMMENT ON TABLE nest_jobs IS 'nestjs-typeorm-jobs schema 1'`);
    };
    const refuses = async (dataSource: DataSource) => {
      const opening = fresh.queueOn(dataSource).open();
      await expect(opening).rejects.toBeInstanceOf(UnsupportedDatabaseError);
      await expect(opening).rejects.toThrow(/"nest_jobs" is partitioned, or takes part in inheritance/);
    };

    it('is refused: partitioned', async () => {
      await fresh.within(async (dataSource) => {
        await like(
          dataSource,
          'CREATE TABLE nest_jobs (LIKE plain_jobs INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id)',
        );
        await refuses(dataSource);
      });
    });

    it('is refused: with a child', async () => {
      await fresh.within(async (dataSource) => {
        await like(
          dataSource,
          'CREATE TABLE nest_jobs (LIKE plain_jobs INCLUDING ALL)',
          'CREATE TABLE old_jobs () INHERITS (nest_jobs)',
        );
        await refuses(dataSource);
      });
    });
  });

  it('says that it waits for the lock of another process that makes the table', async () => {
    await fresh.within(async (dataSource, database) => {
      const other = await database.connect();
      await other.transaction(async (manager) => {
        await manager.query(
          `SELECT pg_advisory_xact_lock(hashtextextended('nestjs-typeorm-jobs "public"."nest_jobs"', 0))`,
        );
        const opening = fresh.queueOn(dataSource).open();
        await until(() => store.logged('log', 'Waits for another process'), {
          what: 'the line',
          timeoutMs: 20_000,
        });
        await manager.query('COMMIT');
        await opening;
        await manager.query('BEGIN');
      });
      await other.destroy();
    });
  }, 40_000);
});

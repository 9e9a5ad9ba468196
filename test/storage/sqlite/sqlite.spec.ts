import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { DuplicateJobError } from '../../../lib/job/errors.js';
import { TransactionOpenError, UnsupportedDatabaseError } from '../../../lib/job/storage-errors.js';
import { endsWithin } from '../../../lib/async/timers.js';
import { jobsMigrations } from '../../../lib/storage/typeorm/jobs-migrations.js';
import * as claim from '../../../lib/storage/sqlite/claim.js';
import * as finds from '../../../lib/storage/sqlite/finds.js';
import { selectJob } from '../../../lib/storage/sqlite/get.js';
import * as insert from '../../../lib/storage/sqlite/insert.js';
import * as leases from '../../../lib/storage/sqlite/leases.js';
import * as reclaim from '../../../lib/storage/sqlite/reclaim.js';
import { settleEach } from '../../../lib/storage/sqlite/settle.js';
import { TypeOrmJobQueue } from '../../../lib/storage/typeorm/typeorm-job-queue.js';
import { describeOn, sqlite, TestDatabase } from '../../support/databases.js';
import { CONDITIONS, PARTS } from '../../support/searches.js';
import { until } from '../../support/until.js';
import { jobQueueContract } from '../../contract/job-queue.contract.js';
import { KIND, LONG, SqlStore } from '../../support/store.js';

/** A statement on the table that is given. */
type Statement = (table: string) => string;

describeOn(sqlite, 'On $name', (server) => jobQueueContract(new SqlStore(server)));

/** What is SQLite's own: one connection for the whole application, one writer, no rows that could be locked. */
describeOn(sqlite, 'On $name', (server) => {
  const store = new SqlStore(server);
  beforeAll(() => store.start());
  beforeEach(() => store.reset());
  afterEach(() => store.stopWorkers());
  afterAll(() => store.stop());

  const enqueue = (id: string) => store.client.enqueue(KIND, null, { id });

  describe('While a transaction of the application is open', () => {
    it('the queue waits with its writes, goes on reading, and leaves the process free', async () => {
      await enqueue('before');
      const [lease] = await store.queue.claim([KIND], 1, LONG);
      let working!: Promise<unknown>;
      await store.dataSource.transaction(async (manager) => {
        await store.client.enqueue(KIND, null, { id: 'inside', manager });
        working = Promise.all([
          enqueue('outside'),
          store.queue.claim([KIND], 9, LONG),
          store.queue.renew([{ ...lease!, alone: false }], 60_000),
        ]);
        const begun = performance.now();
        expect(await store.client.get('before')).toMatchObject({ lockedBy: LONG.workerId });
        expect(await store.client.get('inside')).toBeNull();
        expect(performance.now() - begun).toBeLessThan(1_000);
        expect(await endsWithin(working, 100)).toBe(false);
      });
      expect(await working).toMatchObject([{ id: 'outside' }, expect.any(Array), ['written']]);
      for (const id of ['inside', 'outside']) expect(await store.client.get(id)).not.toBeNull();
    });

    it('what others enqueue does not vanish with its rollback', async () => {
      let outside!: Promise<unknown>;
      const failing = store.dataSource.transaction(async (manager) => {
        await store.client.enqueue(KIND, null, { id: 'inside', manager });
        outside = enqueue('outside');
        expect(await endsWithin(outside, 20)).toBe(false);
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      await outside;
      expect((await store.queue.claim([KIND], 9, LONG)).map(({ id }) => id)).toEqual(['outside']);
    });

    it('what it has read stays true for its own write, though a worker is at work', async () => {
      await store.sql('CREATE TABLE IF NOT EXISTS notes (note text)');
      await store.client.enqueueMany(Array.from({ length: 200 }, () => ({ kind: KIND })));
      let done = 0;
      await store.work({ [KIND]: () => void (done += 1) }, { concurrency: 2 });
      await until(() => done > 20);
      for (let n = 0; n < 10; n++) {
        await store.dataSource.transaction(async (manager) => {
          await manager.query('SELECT count(*) FROM nest_jobs');
          const begun = performance.now();
          await until(() => performance.now() - begun > 10);
          await manager.query(`INSERT INTO notes VALUES ('written after a read')`); // else SQLITE_BUSY_SNAPSHOT
        });
      }
      await until(() => done === 200);
    });

    it('an enqueue in it without its manager says what to do, instead of waiting for ever', async () => {
      const queue = new TypeOrmJobQueue(store.dataSource, store.queueSettings({ databaseTimeoutMs: 200 }));
      try {
        await store.dataSource.transaction(async () => {
          const waiting = store.clientOf(queue).enqueue(KIND, null, { id: 'forgotten' });
          await expect(waiting).rejects.toBeInstanceOf(TransactionOpenError);
          await expect(waiting).rejects.toThrow(/pass its manager/);
        });
      } finally {
        await queue.close();
      }
      expect(await store.client.get('forgotten')).toBeNull();
    });

    it('of another connection to the file, the queue waits for its lock', async () => {
      const other = await store.database.connect();
      try {
        let outside!: Promise<unknown>;
        await other.transaction(async (manager) => {
          await manager.query(`UPDATE nest_jobs SET priority = 1`);
          outside = enqueue('outside');
          expect(await endsWithin(outside, 50)).toBe(false);
        });
        expect(await outside).toMatchObject({ id: 'outside' });
      } finally {
        await other.destroy();
      }
    });

    it('an id that it has used already is a duplicate, and is named', async () => {
      await store.dataSource.transaction(async (manager) => {
        await store.client.enqueue(KIND, null, { id: 'twice', manager });
        const again = store.client.enqueueMany([{ kind: KIND }, { kind: KIND, id: 'twice' }], { manager });
        await expect(again).rejects.toBeInstanceOf(DuplicateJobError);
        await expect(again).rejects.toMatchObject({ id: 'twice' });
      });
    });
  });

  it('two workers on two connections share a backlog and run each job once', async () => {
    const other = await store.database.connect();
    const queue = new TypeOrmJobQueue(other, store.queueSettings());
    try {
      const jobs = await store.client.enqueueMany(Array.from({ length: 500 }, () => ({ kind: KIND })));
      const runs: string[] = [];
      const handler = ({ id }: { id: string }) => void runs.push(id);
      await Promise.all([store.work({ [KIND]: handler }), store.work({ [KIND]: handler }, {}, queue)]);
      await until(() => runs.length >= jobs.length);
      expect(runs.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
      await store.stopWorkers();
    } finally {
      await queue.close();
      await other.destroy();
    }
  });

  it('a worker with a transactional handler does not start, and says why', async () => {
    let calls = 0;
    const { id } = await enqueue('transactional');
    const start = store.work({ [KIND]: { run: () => (calls += 1), options: { transactional: true } } });
    await expect(start).rejects.toThrow(UnsupportedDatabaseError);
    await expect(start).rejects.toThrow(`The handler of kind ${KIND} cannot be transactional on SQLite`);
    expect(await store.job(id)).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
    expect(calls).toBe(0);
  });

  it('a row that was inserted by plain SQL has all it needs to run', async () => {
    await store.sql(
      `INSERT INTO nest_jobs (id, kind, payload) VALUES ('plain', '${KIND}', '{"orderId": 7}')`,
    );
    await store.work({ [KIND]: ({ payload }) => payload });
    expect(await store.ended('plain')).toMatchObject({ status: 'DONE', result: { orderId: 7 } });
  });

  it('sets the file to WAL, and uses what the DataSource is told to prepare a connection', async () => {
    const database = await TestDatabase.create(server);
    let prepared = 0;
    const dataSource = await database.connect({ prepareDatabase: () => void (prepared += 1) });
    const queue = await new TypeOrmJobQueue(dataSource, store.queueSettings()).open();
    expect(await dataSource.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(prepared).toBe(2);
    await queue.close();
    await expect(queue.get('x')).rejects.toThrow(/closed/);
    await dataSource.destroy();
    await database.drop();
  });

  describe.each([':memory:', ''])('A database in memory (%j)', (database) => {
    it('is refused in words that point to the testing module', async () => {
      const dataSource = await new DataSource({ type: 'better-sqlite3', database }).initialize();
      try {
        const make = () => new TypeOrmJobQueue(dataSource, store.queueSettings());
        expect(make).toThrow(UnsupportedDatabaseError);
        expect(make).toThrow(/JobsTestingModule of nestjs-typeorm-jobs\/testing/);
      } finally {
        await dataSource.destroy();
      }
    });

    it('takes the migrations all the same', async () => {
      const migrations = jobsMigrations();
      const dataSource = await new DataSource({ type: 'better-sqlite3', database, migrations }).initialize();
      try {
        await dataSource.runMigrations();
        expect(await dataSource.query('SELECT count(*) AS jobs FROM nest_jobs')).toEqual([{ jobs: 0 }]);
      } finally {
        await dataSource.destroy();
      }
    });
  });

  describe('Among 100,000 rows', () => {
    const table = '"nest_jobs"';
    const list = JSON.stringify([{ id: 'row 5', leaseToken: 1 }]);

    beforeEach(async () => {
      await store.sql(`
        WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 100000)
        INSERT INTO nest_jobs (id, kind, status, due, locked_by, locked_at, locked_until)
        SELECT 'row ' || n, 'kind ' || n % 7, CASE WHEN n % 40 < 4 THEN 'PENDING' ELSE 'DONE' END, n % 40 <> 1,
               ${['w', '2026-01-01', '2126-01-01'].map((value) => `CASE WHEN n % 400 = 2 THEN '${value}' END`).join(', ')}
        FROM count`);
    });

    /** How a statement goes about the table, line by line. */
    const plan = async (statement: string, parameters: unknown[]) => {
      const rows = await store.sql(`EXPLAIN QUERY PLAN ${statement}`, parameters);
      return rows.map(({ detail }) => String(detail)).filter((line) => /nest_jobs|\bjob\b/.test(line));
    };

    it.each(
      [
        [insert.insertOne, ['new', KIND, '1', null, null, 0, 0, null, 1, null, null]],
        [insert.insertMany, [list]],
        [insert.existingId, [list]],
        [selectJob, ['row 5']],
        [claim.nextDue, ['[]']],
        [claim.markDue, []],
        [claim.lease, ['w', 0, 30, list]],
        [leases.renew, [30, list]],
        [settleEach, [list]],
        [leases.release, [list]],
        [leases.look, [JSON.stringify(['row 5'])]],
        [reclaim.expired, [3, '[]']],
        [reclaim.reclaimExpired, [3, list]],
      ].map((row) => [(row[0] as Statement).name, ...row]) as [string, Statement, unknown[]][],
    )(
      '%s reads the table through its indexes alone, with and without statistics',
      async (name, statement, parameters) => {
        const plans = [await plan(statement(table), parameters)];
        await store.sql('ANALYZE');
        plans.push(await plan(statement(table), parameters));
        await store
          .sql('DROP TABLE IF EXISTS sqlite_stat1')
          .catch(() => store.sql('DELETE FROM sqlite_stat1'));
        for (const lines of plans) {
          for (const line of lines)
            expect(line).toMatch(/^SEARCH .*\(.*[=<>]\?|INDEX nest_jobs_(running|scheduled)/);
          if (!name.startsWith('insert')) expect(lines.length).toBeGreaterThan(0);
        }
      },
    );

    it('a search reads indexes alone, as far as it may, whatever it asks for', async () => {
      const place = { name: 'nest_jobs', schema: undefined, quoted: table };
      for (const conditions of [{}, CONDITIONS])
        for (const part of PARTS)
          for (const { text, parameters } of [
            finds.search(place, part, conditions, 100),
            finds.count(place, part, conditions),
          ]) {
            const rows = await store.sql(`EXPLAIN QUERY PLAN ${text}`, parameters);
            const read = rows
              .map(({ detail }) => String(detail))
              .filter((line) => /^SCAN|^SEARCH/.test(line));
            // A first page goes along the primary key until it has its rows. The rest is what the statement itself has made.
            const isBounded = (line: string) =>
              line.startsWith('SEARCH') ||
              /^SCAN (\(subquery-\d+\)|looked|part|json_each)|^SCAN job USING (COVERING )?INDEX/.test(line);
            expect(read.length).toBeGreaterThan(0);
            expect(read.filter((line) => !isBounded(line))).toEqual([]);
          }
      for (const kinds of [null, [KIND, 'kind 3']]) {
        const { text, parameters } = finds.open(place, { waiting: true, running: true, kinds }, 10_001);
        const indexes = (await plan(text, [...parameters])).map((line) => /INDEX (\w+)/.exec(line)?.[1]);
        expect(indexes).toEqual(['nest_jobs_ready', 'nest_jobs_scheduled', 'nest_jobs_running']);
      }
    });

    it('a claim reads each kind in the order of the index, and sorts nothing', async () => {
      const lines = await plan(claim.bestOfKinds(table, 2), ['kind 1', 10, 'kind 2', 10, 10]);
      expect(lines).toHaveLength(2);
      for (const line of lines) expect(line).toMatch(/USING (COVERING )?INDEX nest_jobs_ready \(kind=\?\)/);
      const rows = await store.sql(`EXPLAIN QUERY PLAN ${claim.bestOfKinds(table, 1)}`, ['kind 1', 10, 10]);
      expect(rows.filter(({ detail }) => /TEMP B-TREE/.test(String(detail))).length).toBeLessThanOrEqual(1);
    });
  });
});

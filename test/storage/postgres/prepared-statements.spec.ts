import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { interceptQueries, type Query } from '../../../lib/storage/sql/intercepted-runner.js';
import { TypeOrmJobQueue } from '../../../lib/storage/typeorm/typeorm-job-queue.js';
import { JobClient } from '../../../lib/client/job-client.js';
import { describeOn, oneOfEach, ofType } from '../../support/databases.js';
import { KIND, LONG, SqlStore } from '../../support/store.js';

/* A statement prepared under a name lives on one connection, and other users of that may drop it. */
describeOn(ofType('postgres', oneOfEach), 'On $name', (server) => {
  const store = new SqlStore(server);
  beforeAll(() => store.start(), 60_000);
  beforeEach(() => store.reset());
  afterAll(() => store.stop());

  const clientOver = async (options: object) => {
    const dataSource = await store.database.connect({ poolSize: 1, ...options });
    const queue = new TypeOrmJobQueue(dataSource, store.queueSettings());
    const prepared = async () => {
      const rows = await dataSource.query<unknown[]>(
        `SELECT 1 FROM pg_prepared_statements WHERE name LIKE 'jobs_%'`,
      );
      return rows.length;
    };
    const close = async () => {
      await queue.close();
      await dataSource.destroy();
    };
    return { client: new JobClient(queue), queue, dataSource, prepared, close };
  };

  it('an enqueue is prepared once on a connection: of one job, of jobs that are alike, and of others', async () => {
    const { client, dataSource, close } = await clientOver({});
    const jobs = (...settings: object[]) => settings.map((some) => ({ kind: KIND, ...some }));
    for (let time = 0; time < 2; time++) {
      await client.enqueue(KIND);
      await client.enqueue(KIND, { n: 1 }, { priority: 3 });
      await client.enqueueMany(jobs({ payload: 1 }, { payload: 2 }));
      await client.enqueueMany(jobs({ priority: 3 }, { priority: 3 }, { priority: 3 }));
      await client.enqueueMany(jobs({}, { priority: 3 }));
    }
    const [row] = await dataSource.query<{ count: string }[]>(
      `SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'jobs_%' AND statement LIKE '%INSERT%'`,
    );
    expect(row!.count).toBe('3');
    await close();
  });

  it('an enqueue goes on where the application has dropped what was prepared', async () => {
    const { client, dataSource, prepared, close } = await clientOver({});
    await client.enqueue(KIND, { n: 1 });
    await dataSource.query('DEALLOCATE ALL');
    const job = await client.enqueue(KIND, { n: 2 });
    expect(await client.get(job.id)).toMatchObject({ payload: { n: 2 } });
    await client.enqueue(KIND, { n: 3 });
    expect(await prepared()).toBe(0);
    await close();
  });

  it('an enqueue in a transaction is sent through the query runner if its queries are intercepted', async () => {
    const { client, dataSource, close } = await clientOver({});
    await client.enqueue(KIND);
    const queryRunner = dataSource.createQueryRunner();
    await queryRunner.startTransaction();
    let isClosed = true;
    const send: Query = interceptQueries(queryRunner, (...args) =>
      isClosed ? Promise.reject(new Error('no more')) : send(...args),
    );
    await expect(client.enqueue(KIND, null, { manager: queryRunner.manager })).rejects.toThrow('no more');
    isClosed = false;
    await queryRunner.rollbackTransaction();
    await queryRunner.release();
    await close();
  });

  describe('a claim of few is prepared, and planned again when the table has grown under its plan', () => {
    /**
     * Claims by a plan that was made before so many rows came. On a busy machine a claim may seem slow and be planned again
     * too early: then all begins again.
     */
    const claimsFromBefore = async (rows: number) => {
      for (;;) {
        const claims = await claimsInAnEmptyTable();
        await claims.grow(rows);
        if ((await claims.plan()).includes('Seq Scan on nest_jobs')) return claims;
        await claims.end();
        await store.reset();
      }
    };
    const claimsInAnEmptyTable = async () => {
      const { client, queue, dataSource, close } = await clientOver({});
      await dataSource.query('ALTER TABLE nest_jobs SET (autovacuum_enabled = off)');
      await dataSource.query('VACUUM nest_jobs'); // so that the server knows how empty it is
      const claim = async (times: number) => {
        for (let n = 0; n < times; n++) await queue.claim([KIND], 10, LONG);
      };
      const enqueueAndClaim = async (times: number) => {
        for (let n = 0; n < times; n++) {
          await client.enqueue(KIND);
          await claim(1);
        }
      };
      const prepared = async () =>
        (
          await dataSource.query<{ name: string }[]>(
            `SELECT name FROM pg_prepared_statements WHERE statement LIKE '%SKIP LOCKED%'`,
          )
        )[0]?.name;
      /** That of the claim. One that has aged is gone, and is prepared by the next claim. */
      const plan = async () => {
        let name = await prepared();
        for (; name === undefined; name = await prepared()) await claim(1);
        const rows = await dataSource.query<Record<string, string>[]>(
          `EXPLAIN EXECUTE ${name} ('${KIND}', 10, 'w', 30000, false, 1000000, false)`,
        );
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      };
      const grow = (rows: number) =>
        dataSource.query(`
          INSERT INTO nest_jobs (id, kind, run_at, status)
          SELECT 'row ' || n, 'other', now(), 'DONE' FROM generate_series(1, ${rows}) AS n`);
      const end = async () => {
        await dataSource.query('ALTER TABLE nest_jobs RESET (autovacuum_enabled)');
        await close();
      };
      // Each of the first five has a plan of its own. On a busy machine one may seem slow, and the count begins again.
      const hasPlanForAll = async () =>
        (
          await dataSource.query<{ generic_plans: string }[]>(
            `SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE '%SKIP LOCKED%'`,
          )
        ).some(({ generic_plans }) => Number(generic_plans) > 0);
      while (!(await hasPlanForAll())) await claim(1);
      return { claim, enqueueAndClaim, plan, grow, end };
    };

    it('after a claim that took long', async () => {
      const { claim, plan, end } = await claimsFromBefore(500_000);
      // A claim reads them all. On a busy machine, earlier claims may have been slow as well: then it takes a few.
      for (let n = 0; n < 8 && (await plan()).includes('Seq Scan'); n++) await claim(1);
      expect(await plan()).not.toContain('Seq Scan on nest_jobs');
      await end();
    }, 60_000);

    it('after 8 claims that found a job, where all that was read did not take long', async () => {
      const { enqueueAndClaim, plan, end } = await claimsFromBefore(10_000);
      await enqueueAndClaim(8);
      expect(await plan()).not.toContain('Seq Scan on nest_jobs');
      await end();
    }, 60_000);
  });

  it('a claim of many is not: its plan is made for what is in the table', async () => {
    const { queue, prepared, close } = await clientOver({});
    await queue.claim([KIND], 500, LONG);
    expect(await prepared()).toBe(0);
    await close();
  });
});

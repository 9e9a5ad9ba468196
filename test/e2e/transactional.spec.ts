import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { JobClient, TypeOrmJobQueue } from '../../lib/index.js';
import { describeOn, oneOfEach, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';
import { OBSERVING } from './observing.js';
import { WorkerProcess } from './worker-process.js';

const FREEZES = 100;
const CONCURRENCY = 13;
/** Of the jobs of one round, no worker can take more than its share. */
const WORKERS = 3;

/** Real processes that are frozen by a real signal, on the built package; see processes.spec.ts. */
describeOn(oneOfEach, 'Transactional handlers in processes on $name', (server) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TypeOrmJobQueue;
  let client: JobClient;
  let workers: WorkerProcess[];

  beforeEach(async () => {
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    await dataSource.query('CREATE TABLE runs (job varchar(255), worker varchar(255))');
    await dataSource.query('CREATE TABLE effects (job varchar(255), step varchar(255))');
    queue = await new TypeOrmJobQueue(dataSource, OBSERVING).open();
    client = new JobClient(queue);
    workers = Array.from({ length: WORKERS }, (_, n) =>
      WorkerProcess.spawn({
        name: `worker ${n}`,
        database: { ...database.options, poolSize: 2 * CONCURRENCY } as DataSourceOptions,
        workMs: 500,
        // Long enough that a busy machine does not take a lease from a worker that nobody has frozen.
        worker: { concurrency: CONCURRENCY, leaseMs: 3_000, pollIntervalMs: 100 },
      }),
    );
    await Promise.all(workers.map((worker) => worker.ready()));
  });

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await queue.close();
    await dataSource.destroy();
    await database.drop();
  });

  async function rows(query: string): Promise<Record<string, string>[]> {
    return dataSource.query<Record<string, string>[]>(query);
  }

  /** Freezes two of the workers in the middle of their handlers. @returns the jobs of those handlers */
  async function freezeTwo(round: number): Promise<string[]> {
    const ids = Array.from({ length: WORKERS * CONCURRENCY }, (_, n) => `job ${round}-${n}`);
    await client.enqueueMany(ids.map((id) => ({ kind: 'transactional', id })));
    const begun = async () =>
      (await rows(`SELECT DISTINCT job FROM runs WHERE job LIKE 'job ${round}-%'`)).length;
    await until(async () => (await begun()) === ids.length, { what: 'all handlers have begun' });
    const [, second, third] = workers;
    return [...(await freeze(second!)), ...(await freeze(third!))];
  }

  /**
   * On MySQL and MariaDB a heartbeat is a short transaction. A worker that is frozen within one holds the locks of its
   * jobs, and nobody can take them back: it is let go, and frozen again. So it is where a COMMIT that it had sent came
   * through after its jobs were read.
   */
  async function freeze(worker: WorkerProcess): Promise<string[]> {
    for (;;) {
      worker.send('SIGSTOP');
      const held = await rows(
        `SELECT nest_jobs.id FROM nest_jobs JOIN runs ON runs.job = nest_jobs.id
         WHERE status = 'PENDING' AND worker = '${worker.name}'`,
      );
      const ids = held.map(({ id }) => id!);
      const list = ids.map((id) => `'${id}'`).join(', ') || "''";
      const free = await dataSource.transaction((manager) =>
        manager.query<unknown[]>(
          `SELECT id FROM nest_jobs WHERE id IN (${list}) AND status = 'PENDING' FOR UPDATE SKIP LOCKED`,
        ),
      );
      if (free.length === ids.length) return ids;
      worker.send('SIGCONT');
    }
  }

  /** The worker that is left does the jobs of the others; those go on then, and each must see that it is too late. */
  async function thaw(frozen: readonly string[]): Promise<void> {
    await until(
      async () =>
        (await rows(`SELECT 1 FROM nest_jobs WHERE status = 'PENDING' AND kind = 'transactional'`)).length ===
        0,
      {
        what: 'the end of all jobs',
      },
    );
    const output = () => workers.map((worker) => worker.output).join('');
    const hasSeen = (id: string) => new RegExp(`[jJ]ob ${id} .*is lost`).test(output());
    for (const worker of workers) worker.send('SIGCONT');
    await until(() => frozen.every(hasSeen), { what: 'the frozen ones have seen that it is too late' });
  }

  it(`write once even across a stall, ${FREEZES} times`, async () => {
    const frozen: string[] = [];
    for (let round = 0; frozen.length < FREEZES; round++) {
      const held = await freezeTwo(round);
      await thaw(held);
      frozen.push(...held);
    }
    const ran = await rows(`SELECT job, count(*) AS times FROM runs GROUP BY job HAVING count(*) > 1`);
    expect(ran.map(({ job }) => job).toSorted()).toEqual(frozen.toSorted()); // twice, and yet:

    const jobs = await rows(
      `SELECT id FROM nest_jobs WHERE kind = 'transactional' AND status = 'DONE' ORDER BY id`,
    );
    const once = jobs.flatMap(({ id }) => [`${id!} after`, `${id!} before`]).toSorted();
    const effects = await rows('SELECT job, step FROM effects');
    expect(effects.map(({ job, step }) => `${job!} ${step!}`).toSorted()).toEqual(once);
    const followUps = await rows(`SELECT payload FROM nest_jobs WHERE kind = 'follow-up'`);
    const about = followUps.map(({ payload }) => payload!.replaceAll('"', ''));
    expect(about.toSorted()).toEqual(jobs.map(({ id }) => id!).toSorted());
    for (const id of frozen) {
      expect(await client.get(id)).toMatchObject({
        status: 'DONE',
        result: { by: 'worker 0' },
        attemptsDone: 2,
      });
    }
  }, 240_000);
});

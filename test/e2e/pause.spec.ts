import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, JobKinds, TypeOrmJobQueue } from '../../lib/index.js';
import { describeOn, oneOfEach, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';
import { OBSERVING } from './observing.js';
import { WorkerProcess } from './worker-process.js';

/** For how long nothing may start. */
const PAUSE_SECONDS = Number(process.env.PAUSE_SECONDS ?? 10);
const KIND = 'timed';
const JOBS = 20_000;
const BATCH = 1_000;
/** What a worker that is silent is waited for, and what a busy machine takes to start processes. */
const PATIENCE_MS = 180_000;

/**
 * Workers start, stop, are killed and frozen while their kind is paused. On the built package: `npm test` builds it, or
 * `npm run build:lib`.
 */
describeOn(oneOfEach, 'A pause of many processes on $name', (server) => {
  const isPostgres = server.type === 'postgres';
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TypeOrmJobQueue;
  let client: JobClient;
  let kinds: JobKinds;
  let workers: WorkerProcess[];
  let isOver: boolean;
  let spawned: number;

  beforeEach(async () => {
    [workers, isOver, spawned] = [[], false, 0];
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    await dataSource.query('CREATE TABLE starts (job varchar(255), worker varchar(255), at bigint)');
    queue = await new TypeOrmJobQueue(dataSource, OBSERVING).open();
    client = new JobClient(queue);
    kinds = new JobKinds(queue);
  }, 60_000);

  afterEach(async () => {
    isOver = true;
    await Promise.all(workers.map((worker) => worker.kill()));
    await queue.close();
    await dataSource.destroy();
    await database.drop();
  }, 60_000);

  async function spawn(): Promise<WorkerProcess> {
    const name = `worker ${++spawned}`;
    const worker = WorkerProcess.spawn({ name, database: database.options, worker: { concurrency: 5 } });
    workers.push(worker);
    return worker.ready();
  }

  async function startsSince(instant: number): Promise<number> {
    const text = `SELECT count(*) AS count FROM starts WHERE at > ${instant}`;
    const [row] = await dataSource.query<{ count: unknown }[]>(text);
    return Number(row!.count);
  }

  async function enqueueAll(): Promise<void> {
    for (let count = 0; count < JOBS; count += BATCH)
      await client.enqueueMany(Array.from({ length: BATCH }, () => ({ kind: KIND })));
  }

  /** Ends one after the other in some way, and puts another one in its place, until the test is over. */
  async function churn(): Promise<void> {
    for (let turn = 0; !isOver; turn++) {
      const worker = await spawn();
      await sleep(300);
      if (turn % 3 === 0) await worker.kill();
      else if (turn % 3 === 1) worker.close();
      else {
        worker.send('SIGSTOP');
        await sleep(1_000);
        worker.send('SIGCONT');
        await sleep(300);
        worker.close();
      }
    }
  }

  /** Ends the connections over which workers listen, until the test is over. */
  async function killListeners(): Promise<void> {
    while (!isOver) {
      await dataSource.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE '%LISTEN%' AND pid <> pg_backend_pid()`,
      );
      await sleep(500);
    }
  }

  const nothingStarts = async (beside: readonly (() => Promise<void>)[]) => {
    await enqueueAll();
    const [frozen, killed] = [await spawn(), await spawn()];
    await spawn();
    await until(async () => (await startsSince(0)) > 200, { what: '"the workers run jobs"' });
    const others = beside.map((part) => part());
    frozen.send('SIGSTOP');
    await killed.kill();
    await kinds.pause(KIND, { wait: true, timeoutMs: PATIENCE_MS });
    const pausedAt = Date.now();
    frozen.send('SIGCONT');
    await sleep(PAUSE_SECONDS * 1_000);
    expect(await startsSince(pausedAt)).toBe(0);
    expect((await kinds.workers()).length).toBeGreaterThan(0);
    expect(await queue.kinds.isDrained(KIND)).toBe(false);
    isOver = true;
    await Promise.all(others);
    const resumedAt = Date.now();
    await kinds.resume(KIND);
    await until(async () => (await startsSince(resumedAt)) > 100, { what: '"the workers run jobs again"' });
  };

  it(
    'lets not one job start once it is obeyed, while workers come and go',
    () => nothingStarts([churn]),
    PATIENCE_MS + 120_000 + PAUSE_SECONDS * 1_000,
  );

  if (isPostgres)
    it(
      'lets not one job start though no notification arrives',
      () => nothingStarts([churn, killListeners]),
      PATIENCE_MS + 120_000 + PAUSE_SECONDS * 1_000,
    );
});

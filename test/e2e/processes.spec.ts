import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, TypeOrmJobQueue, type Job, type JobsModuleOptions } from '../../lib/index.js';
import { resolveOptions } from '../../lib/jobs.options.js';
import { Child } from '../support/child.js';
import { oneOfEach, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const BUILT = join(import.meta.dirname, '../../dist/index.js');
const LEASE_MS = 1_000;
const NEVER_MS = 600_000;
/** A process takes seconds to come up where others keep the machine busy. */
const PATIENCE_MS = 50_000;
jest.setTimeout(60_000);

interface RunRow {
  readonly job_id: string;
  readonly pid: number;
}

describe.each(oneOfEach)('worker processes on $name', (server) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let client: JobClient;
  let started: Child[];

  beforeAll(() => {
    if (!existsSync(BUILT)) throw new Error('The package is not built; run "npm run build:lib" first.');
  });

  beforeEach(async () => {
    started = [];
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    await dataSource.query('CREATE TABLE runs (job_id varchar(255) NOT NULL, pid int NOT NULL)');
  });

  afterEach(async () => {
    await Promise.all(started.map((child) => child.kill()));
    await dataSource.destroy();
    await database.drop();
  });

  /** A client of the test's own; it makes the table. */
  async function openClient(): Promise<void> {
    const queue = await new TypeOrmJobQueue(dataSource, resolveOptions().queue).open();
    client = new JobClient(queue, { maxPayloadBytes: 1000, requireKind: () => undefined });
  }

  function start(file: 'worker.mjs' | 'script.mjs', worker: JobsModuleOptions['worker'] = {}): Child {
    const options: JobsModuleOptions = {
      worker: worker && { leaseMs: LEASE_MS, pollIntervalMs: 100, ...worker },
    };
    const child = new Child(join(FIXTURES, file), {
      DATABASE_TYPE: server.type,
      DATABASE_URL: database.url,
      JOBS_OPTIONS: JSON.stringify(options),
    });
    started.push(child);
    return child;
  }

  async function startWorker(worker: JobsModuleOptions['worker'] = {}): Promise<Child> {
    const child = start('worker.mjs', worker);
    await child.printed('The worker is up.', PATIENCE_MS);
    return child;
  }

  async function runs(): Promise<RunRow[]> {
    return dataSource.query<RunRow[]>('SELECT job_id, pid FROM runs');
  }

  async function get(id: string): Promise<Job> {
    return (await client.get(id))!;
  }

  /** The job, once it is terminal. */
  async function ended(id: string): Promise<Job> {
    await until(async () => (await get(id)).status !== 'PENDING', {
      timeoutMs: PATIENCE_MS,
      what: 'the end of the job',
    });
    return get(id);
  }

  /** Enqueues a job whose first handler takes a while, and waits until `worker` is at work on it. */
  async function enqueueAt(worker: Child, firstMs: number): Promise<string> {
    const { id } = await client.enqueue('firstIsSlow', { firstMs });
    await until(async () => (await runs()).some(({ pid }) => pid === worker.pid), {
      what: 'the first run',
    });
    return id;
  }

  async function countPending(): Promise<number> {
    const rows = await dataSource.query<{ n: unknown }[]>(
      "SELECT count(*) AS n FROM nest_jobs WHERE status = 'PENDING'",
    );
    return Number(rows[0]!.n);
  }

  it('hands the job of a killed process to another one when its lease has run out', async () => {
    await openClient();
    const killed = await startWorker();
    const id = await enqueueAt(killed, NEVER_MS);
    const other = await startWorker();
    await killed.kill();
    expect(await ended(id)).toMatchObject({
      status: 'DONE',
      attemptsDone: 2,
      crashes: 1,
      result: { pid: other.pid, attempt: 2 },
    });
  });

  it('lets a handler finish after SIGTERM and saves its result', async () => {
    await openClient();
    const worker = await startWorker({ shutdownTimeoutMs: 10_000 });
    const id = await enqueueAt(worker, 500);
    worker.signal('SIGTERM');
    await worker.ended;
    expect(await get(id)).toMatchObject({
      status: 'DONE',
      attemptsDone: 1,
      crashes: 0,
      result: { pid: worker.pid },
    });
  });

  it('gives back after shutdownTimeoutMs what has not finished, for another to run at once', async () => {
    await openClient();
    const longLease = { leaseMs: 60_000, shutdownTimeoutMs: 300 };
    const first = await startWorker(longLease);
    const id = await enqueueAt(first, NEVER_MS);
    const second = await startWorker(longLease);
    const signalled = performance.now();
    first.signal('SIGTERM');
    const end = await first.ended;
    const job = await ended(id);
    expect(performance.now() - signalled).toBeLessThan(longLease.leaseMs / 3);
    expect(end).toEqual({ code: null, signal: 'SIGTERM' });
    // The second worker saw a first attempt: the one that was given back did not count.
    expect(job).toMatchObject({
      status: 'DONE',
      attemptsDone: 1,
      crashes: 0,
      result: { pid: second.pid, attempt: 1 },
    });
  });

  it('refuses what a process writes that stood still until another had done its job', async () => {
    await openClient();
    const frozen = await startWorker();
    const id = await enqueueAt(frozen, 3_000);
    frozen.signal('SIGSTOP');
    const other = await startWorker();
    const job = await ended(id);
    expect(job).toMatchObject({ status: 'DONE', attemptsDone: 2, crashes: 1, result: { pid: other.pid } });
    frozen.signal('SIGCONT');
    await frozen.printed(`The outcome (done) of job ${id} (kind firstIsSlow, attempt 1) was refused`);
    expect(await get(id)).toEqual(job);
  });

  it('runs each of 2,000 jobs once, on two processes', async () => {
    await openClient();
    // Nobody's lease runs out, however busy the machine is.
    const workers = [start('worker.mjs', { leaseMs: 60_000 }), start('worker.mjs', { leaseMs: 60_000 })];
    await Promise.all(workers.map((worker) => worker.printed('The worker is up.', PATIENCE_MS)));
    const jobs = await client.enqueueMany(Array.from({ length: 2_000 }, () => ({ kind: 'quick' })));
    await until(async () => (await countPending()) === 0, {
      timeoutMs: PATIENCE_MS,
      what: 'the end of all jobs',
    });
    const rows = await runs();
    expect(rows.map((row) => row.job_id).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    expect(new Set(rows.map(({ pid }) => pid))).toEqual(new Set(workers.map(({ pid }) => pid)));
    const settled = await dataSource.query<{ status: string; attempts_done: number; crashes: number }[]>(
      'SELECT DISTINCT status, attempts_done, crashes FROM nest_jobs',
    );
    expect(settled.map((row) => ({ ...row }))).toEqual([{ status: 'DONE', attempts_done: 1, crashes: 0 }]);
  });

  it('ends a job that kills every process it runs in as PANIC, and those beside it as DONE', async () => {
    await openClient();
    const innocents = await client.enqueueMany(Array.from({ length: 40 }, () => ({ kind: 'quick' })));
    const { id } = await client.enqueue('poison', undefined, { priority: -1 });
    const supervisor = new AbortController();
    const supervised = restartUntil(supervisor.signal);
    await until(async () => (await countPending()) === 0, {
      timeoutMs: PATIENCE_MS,
      what: 'the end of all jobs',
    });
    supervisor.abort();
    await supervised;
    const { status, crashes, attemptsDone, lastError } = await get(id);
    expect([status, attemptsDone]).toEqual(['PANIC', crashes]);
    expect(lastError).toMatch(/^panic: /);
    // Three, or one more where the machine is too busy to run it alone within the time of a lease.
    expect([3, 4]).toContain(crashes);
    const states = await Promise.all(innocents.map(async (job) => (await get(job.id)).status));
    expect(states).toEqual(innocents.map(() => 'DONE'));
    expect((await runs()).filter((row) => row.job_id === id).length).toBeLessThanOrEqual(crashes);
  });

  async function restartUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const worker = start('worker.mjs', { leaseMs: 2_000 });
      const stop = () => worker.signal('SIGKILL');
      signal.addEventListener('abort', stop, { once: true });
      await worker.ended;
    }
  }

  it('brings up ten processes that start at once on an empty database', async () => {
    const workers = Array.from({ length: 10 }, () => start('worker.mjs'));
    await Promise.all(workers.map((worker) => worker.printed('The worker is up.', PATIENCE_MS)));
    expect(workers.filter(({ running }) => running)).toHaveLength(10);
    const makers = workers.filter(({ output }) => output.includes('Brought the table nest_jobs to version'));
    expect(makers).toHaveLength(1);
  });

  it('keeps no process alive whose application is closed', async () => {
    const script = start('script.mjs');
    await script.printed('The application is closed.');
    const closed = performance.now();
    expect(await script.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - closed).toBeLessThan(5_000);
  });
});

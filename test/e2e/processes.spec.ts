import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, TypeOrmJobQueue, type Job } from '../../lib/index.js';
import { describeOn, oneOfEach, sqlite, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';
import { OBSERVING } from './observing.js';
import { LEASE_MS, WorkerProcess, type WorkerProcessSettings } from './worker-process.js';

/** Real processes and real signals, on the built package: `npm test` builds it, or else run `npm run build:lib`. */
describeOn([...oneOfEach, ...sqlite], 'Processes on $name', (server) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TypeOrmJobQueue;
  let client: JobClient;
  let processes: WorkerProcess[];

  beforeEach(async () => {
    processes = [];
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    await dataSource.query('CREATE TABLE runs (job varchar(255), worker varchar(255))');
    queue = new TypeOrmJobQueue(dataSource, OBSERVING);
    client = new JobClient(queue, { maxPayloadBytes: 1000, requireKind: () => undefined });
  });

  afterEach(async () => {
    await Promise.all(processes.map((process) => process.kill()));
    await queue.close();
    await dataSource.destroy();
    await database.drop();
  });

  function spawn(settings: Partial<WorkerProcessSettings> = {}): WorkerProcess {
    const name = `worker ${processes.length + 1}`;
    const process = WorkerProcess.spawn({ name, database: database.options, ...settings });
    processes.push(process);
    return process;
  }

  /** Starts workers that are all told the same. */
  function start(count: number, settings?: Partial<WorkerProcessSettings>): Promise<WorkerProcess[]> {
    return Promise.all(Array.from({ length: count }, () => spawn(settings).ready()));
  }

  async function runs(): Promise<{ job: string; worker: string }[]> {
    return dataSource.query<{ job: string; worker: string }[]>('SELECT job, worker FROM runs');
  }

  /** Waits until the job is run. @returns the worker that runs it */
  async function begun(id: string): Promise<WorkerProcess> {
    let name: string | undefined;
    const isRun = async () => (name = (await runs()).find(({ job }) => job === id)?.worker) !== undefined;
    await until(isRun, { what: `"job ${id} has begun"` });
    return processes.find((process) => process.name === name)!;
  }

  async function ended(id: string, timeoutMs?: number): Promise<Job> {
    const hasEnded = async () => (await client.get(id))?.status !== 'PENDING';
    await until(hasEnded, { what: `"job ${id} has ended"`, timeoutMs });
    return (await client.get(id))!;
  }

  /** How long it takes from SIGTERM to the end of the process. */
  async function exitMs(process: WorkerProcess): Promise<number> {
    const since = performance.now();
    process.send('SIGTERM');
    expect(await process.exited()).toBe('SIGTERM');
    return performance.now() - since;
  }

  const otherThan = (worker: WorkerProcess) => processes.find((process) => process !== worker)!;

  it('lose a job of theirs when they are killed, and another does it when the lease has run out', async () => {
    await start(2, { workMs: 1_000 });
    await client.enqueue('work', null, { id: 'one' });
    const killed = await begun('one');
    killed.send('SIGKILL');
    expect(await killed.exited()).toBe('SIGKILL');
    const job = await ended('one');
    expect(job).toMatchObject({ status: 'DONE', result: { by: otherThan(killed).name } });
    expect(job).toMatchObject({ attemptsDone: 2, crashes: 1 });
    expect(job.lastError).toContain('stopped renewing the lease');
  });

  it('finish what they run on SIGTERM where the time suffices, and save the result', async () => {
    const [worker] = await start(1, { workMs: 700, worker: { shutdownTimeoutMs: 20_000 } });
    await client.enqueue('work', null, { id: 'short' });
    await begun('short');
    worker!.send('SIGTERM');
    expect(await worker!.exited()).toBe('SIGTERM');
    expect(await client.get('short')).toMatchObject({
      status: 'DONE',
      result: { by: worker!.name },
      attemptsDone: 1,
      crashes: 0,
    });
  });

  it('give back on SIGTERM what takes too long, exit in time, and another does it at once', async () => {
    // Only a job that was given back can be claimed within this test: its lease would outlast it.
    const worker = { leaseMs: 600_000, shutdownTimeoutMs: 300 };
    const [stopped] = await start(1, { workMs: 300_000, worker });
    await client.enqueue('work', null, { id: 'long' });
    await begun('long');
    const [other, idle] = await start(2, { worker });
    const idleMs = exitMs(idle!);
    const stoppedMs = exitMs(stopped!);
    expect(await stoppedMs).toBeLessThan(1_700 + (await idleMs)); // what the exit takes on this machine, however busy it is
    expect(stopped!.output).toContain(
      '1 jobs did not finish within shutdownTimeoutMs and are given back: long',
    );
    // The other worker may have it by now: the one attempt that is counted is its own.
    const job = await ended('long');
    expect(job).toMatchObject({ status: 'DONE', result: { by: other!.name }, attemptsDone: 1, crashes: 0 });
  });

  it('cannot settle a job that another has done while they were frozen', async () => {
    await start(2, { workMs: 1_000 });
    await client.enqueue('work', null, { id: 'frozen' });
    const frozen = await begun('frozen');
    const other = otherThan(frozen);
    frozen.send('SIGSTOP');
    const job = await ended('frozen');
    expect(job).toMatchObject({ status: 'DONE', result: { by: other.name }, attemptsDone: 2, crashes: 1 });
    expect(other.output).toContain('Job frozen (kind work) lost its worker');
    frozen.send('SIGCONT');
    const refusal = 'The outcome (done) of job frozen (kind work, attempt 1) was refused: its lease is lost.';
    await frozen.until(() => frozen.output.includes(refusal), 'refused');
    expect(await client.get('frozen')).toEqual(job);

    await other.kill();
    await client.enqueue('work', null, { id: 'next' });
    expect(await ended('next')).toMatchObject({ status: 'DONE', result: { by: frozen.name } });
  });

  it.each([
    ['frozen', 'work', 1.5 * LEASE_MS, 'Worker'],
    ['blocked by their handlers', 'block', 2 * LEASE_MS, 'The event loop was blocked for'],
  ])(
    'settle what they ran while they were %s past the lease, where nobody has taken it back',
    async (_how, kind, workMs, logged) => {
      const [worker] = await start(1, { workMs });
      await client.enqueue(kind, null, { id: 'late' });
      await begun('late');
      if (kind === 'work') {
        worker!.send('SIGSTOP');
        const isOver = async () => (await client.get('late'))!.lockedUntil! < new Date(Date.now() - 700);
        await until(isOver, { what: '"the lease has run out"' });
        worker!.send('SIGCONT');
      }
      expect(await ended('late')).toMatchObject({
        status: 'DONE',
        result: { by: worker!.name },
        attemptsDone: 1,
        crashes: 0,
      });
      await worker!.until(() => worker!.output.includes(logged), logged); // its output may come after its outcome
    },
  );

  it('share a backlog of 2,000 jobs and run each of them once', async () => {
    const workers = await start(2);
    await client.enqueueMany(Array.from({ length: 2_000 }, () => ({ kind: 'work' })));
    await until(async () => (await count("status = 'PENDING'")) === 0);
    expect(await count("status = 'DONE' AND attempts_done = 1 AND crashes = 0")).toBe(2_000);
    const rows = await runs();
    expect(rows).toHaveLength(2_000);
    expect(new Set(rows.map(({ job }) => job)).size).toBe(2_000);
    expect(new Set(rows.map(({ worker }) => worker))).toEqual(new Set(workers.map(({ name }) => name)));
  });

  it('are killed by a job only until it is convicted, and all its neighbours are done', async () => {
    await queue.open();
    const innocents = Array.from({ length: 30 }, () => ({ kind: 'work' }));
    await client.enqueueMany(innocents.slice(0, 15));
    await client.enqueue('exit', null, { id: 'culprit' });
    await client.enqueueMany(innocents.slice(15));
    const supervisor = supervise({ workMs: 20 });
    const culprit = await ended('culprit', 150_000); // three processes begin, die, and are waited for
    await until(async () => (await count("status = 'PENDING'")) === 0);
    await supervisor.stop();
    expect(culprit).toMatchObject({ status: 'PANIC', crashes: 3, attemptsDone: 3 });
    expect(culprit.lastError).toMatch(/^panic: .* the job ran alone \(crash 3 of 3\)/);
    expect(supervisor.deaths()).toBe(3);
    expect(await count("kind = 'work' AND status = 'DONE'")).toBe(30);
  }, 240_000);

  it('that four jobs kill again and again run 500 others to their end, and convict the four', async () => {
    await queue.open();
    const culprits = ['exit', 'exit', 'exhaust', 'reject'].map((kind, n) => ({ kind, id: `culprit ${n}` }));
    const innocents = Array.from({ length: 500 }, (_, n) => ({ kind: 'take', payload: (n * 37) % 200 }));
    await client.enqueueMany(innocents.slice(0, 250));
    await client.enqueueMany(culprits);
    await client.enqueueMany(innocents.slice(250));
    const since = performance.now();
    const supervisors = [1, 2, 3].map(() => supervise());
    await until(async () => (await count("status = 'PENDING'")) === 0, { timeoutMs: 200_000 });
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    await Promise.all(supervisors.map((supervisor) => supervisor.stop()));
    const deaths = processes.filter(({ hasExited }) => hasExited).length;
    console.log(`${server.name}: 500 jobs done beside 4 that killed ${deaths} workers, in ${seconds} s`);
    expect(await count("kind = 'take' AND status = 'DONE'")).toBe(500);
    for (const { id } of culprits) {
      const job = await client.get(id);
      expect(job).toMatchObject({ status: 'PANIC' });
      expect(job!.lastError).toMatch(
        /^panic: the worker \S+ stopped renewing .* last heartbeat was at .*Z, .* the job ran alone \(crash \d+ of 3\)$/,
      );
    }
  }, 240_000);

  it('all come up, ten of them at once on an empty database', async () => {
    await start(10);
    await client.enqueue('work', null, { id: 'one' });
    expect(await ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
    expect(processes.filter(({ hasExited }) => hasExited)).toEqual([]);
  });

  it('exit by themselves after app.close()', async () => {
    const [worker] = await start(1);
    await client.enqueue('work', null, { id: 'one' });
    await ended('one');
    worker!.close();
    expect(await worker!.exited()).toBe(0);
    expect(worker!.output).toContain(' stopped.');
  });

  /** Keeps one worker running: starts the next when the last has died. */
  function supervise(settings?: Partial<WorkerProcessSettings>) {
    let isStopping = false;
    const keepRunning = async () => {
      while (!isStopping) {
        const worker = spawn(settings);
        await until(() => isStopping || worker.hasExited, { timeoutMs: 240_000 });
      }
    };
    const running = keepRunning();
    running.catch(() => undefined); // stop() tells
    return {
      deaths: () => processes.filter(({ hasExited }) => hasExited).length,
      stop: () => {
        isStopping = true;
        return running;
      },
    };
  }

  async function count(condition: string): Promise<number> {
    const query = `SELECT count(*) AS n FROM nest_jobs WHERE ${condition}`;
    const [row] = await dataSource.query<{ n: string }[]>(query);
    return Number(row!.n);
  }
});

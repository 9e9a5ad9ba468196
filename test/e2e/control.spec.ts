import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, TypeOrmJobQueue, type Job } from '../../lib/index.js';
import { describeOn, oneOfEach, sqlite, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';
import { OBSERVING } from './observing.js';
import { WorkerProcess } from './worker-process.js';

const HEARTBEAT_MS = 1_000;
/** Of a busy machine, for what is over by then on an idle one. */
const SLACK_MS = 2_000;

/** A busy machine may delay all processes for a while: so often is a limit tried that an idle one keeps. */
const ROUNDS = 8;

/** How many jobs are cancelled at the moment at which they end. CANCEL_RACES may say more. */
const RACES = Number(process.env.CANCEL_RACES ?? 2_000);
const RACES_AT_ONCE = 200;
const CALLERS = 10;
const OPEN_STATES = ['ready', 'running', 'stopping', 'retrying', 'scheduled'] as const;
const WAITS = 5_000;

/** One process cancels what another one runs. On the built package: `npm test` builds it, or `npm run build:lib`. */
describeOn([...oneOfEach, ...sqlite], 'Cancel across processes on $name', (server) => {
  const isNotified = server.type === 'postgres';
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TypeOrmJobQueue;
  let client: JobClient;
  let worker: WorkerProcess;

  beforeEach(async () => {
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    await dataSource.query('CREATE TABLE runs (job varchar(255), worker varchar(255))');
    queue = await new TypeOrmJobQueue(dataSource, OBSERVING).open();
    client = new JobClient(queue);
    await startWorker(HEARTBEAT_MS);
  }, 60_000);

  afterEach(async () => {
    await worker.kill();
    await queue.close();
    await dataSource.destroy();
    await database.drop();
  });

  async function startWorker(heartbeatMs: number): Promise<void> {
    const settings = { leaseMs: 3 * heartbeatMs, heartbeatMs };
    worker = await WorkerProcess.spawn({ name: 'a', database: database.options, worker: settings }).ready();
  }

  async function running(id: string): Promise<void> {
    await client.enqueue('obey', null, { id });
    const hasBegun = async () =>
      (await dataSource.query<unknown[]>(`SELECT 1 FROM runs WHERE job = '${id}'`)).length > 0;
    await until(hasBegun, { what: `"job ${id} has begun"` });
  }

  async function ended(id: string): Promise<Job> {
    const hasEnded = async () => (await client.get(id))?.status !== 'PENDING';
    await until(hasEnded, { what: `"job ${id} has ended"` });
    return (await client.get(id))!;
  }

  /** How long a job goes on that runs in the other process. */
  async function cancelMs(id: string): Promise<number> {
    await running(id);
    const since = performance.now();
    expect(await client.cancel(id, { reason: 'enough' })).toBe('stopping');
    expect(await ended(id)).toMatchObject({ status: 'CANCELLED', cancelReason: 'enough', attemptsDone: 1 });
    return performance.now() - since;
  }

  /** Of five jobs. */
  async function medianCancelMs(round: number): Promise<number> {
    const times: number[] = [];
    for (let n = 0; n < 5; n++) times.push(await cancelMs(`job ${round}.${n}`));
    return times.toSorted((one, other) => one - other)[2]!;
  }

  if (isNotified)
    it('ends a job within 200 ms', async () => {
      await worker.kill();
      await startWorker(10 * HEARTBEAT_MS); // so that the heartbeat is that early in one of 10,000 rounds
      const medians: number[] = [];
      while (medians.length < ROUNDS && !medians.some((ms) => ms < 200))
        medians.push(await medianCancelMs(medians.length));
      expect(Math.min(...medians)).toBeLessThan(200);
    }, 120_000);
  else
    it('ends a job with its next heartbeat', async () => {
      expect(await medianCancelMs(0)).toBeLessThan(HEARTBEAT_MS + SLACK_MS);
    }, 60_000);

  if (isNotified)
    it('ends a job with its next heartbeat though the connection that listens is killed at that moment', async () => {
      await running('job');
      const listeners = `FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%LISTEN%' AND pid <> pg_backend_pid()`;
      const areListening = async () =>
        (await dataSource.query<unknown[]>(`SELECT 1 ${listeners}`)).length > 0;
      await until(areListening, { what: '"the worker listens"' });
      const killed = dataSource.query<unknown[]>(`SELECT pg_terminate_backend(pid) ${listeners}`);
      const since = performance.now();
      expect(await client.cancel('job')).toBe('stopping');
      expect(await killed).not.toHaveLength(0);
      expect(await ended('job')).toMatchObject({ status: 'CANCELLED' });
      expect(performance.now() - since).toBeLessThan(HEARTBEAT_MS + SLACK_MS);
    }, 60_000);

  it('ends a job whose process is killed, and counts no crash', async () => {
    await running('job');
    worker.send('SIGSTOP');
    expect(await client.cancel('job', { reason: 'enough' })).toBe('stopping');
    worker.send('SIGKILL');
    const taker = await WorkerProcess.spawn({ name: 'b', database: database.options }).ready();
    try {
      expect(await ended('job')).toMatchObject({
        status: 'CANCELLED',
        cancelReason: 'enough',
        crashes: 0,
        attemptsDone: 1,
      });
    } finally {
      await taker.kill();
    }
  }, 60_000);

  it(`ends ${RACES} jobs once each that are cancelled while they are settled`, async () => {
    const answers = new Map<string, string | null>();
    for (let first = 0; first < RACES; first += RACES_AT_ONCE) {
      const ids = Array.from({ length: RACES_AT_ONCE }, (_, n) => `job ${first + n}`);
      await client.enqueueMany(ids.map((id) => ({ kind: 'take', id, payload: Math.random() * 3 })));
      const waiting = [...ids];
      const call = async () => {
        for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
          await sleep(Math.random() * 3);
          answers.set(id, await client.cancel(id, { reason: 'enough' }));
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, call));
    }
    const isDrained = async () => (await client.count({ states: OPEN_STATES })).value === 0;
    await until(isDrained, { what: '"all jobs have ended"', everyMs: 100 });
    const runs = await dataSource.query<{ job: string }[]>('SELECT job FROM runs');
    const started = new Set(runs.map(({ job }) => job));
    expect(started.size).toBe(runs.length); // no job ran twice
    const ends = new Map<string | null, number>();
    for (const [id, answer] of answers) {
      const { status, attemptsDone, cancelReason, lastError } = (await client.get(id))!;
      const isCancelled = status === 'CANCELLED';
      const attempts = started.has(id) ? 1 : 0;
      const reason = isCancelled || answer === 'stopping' ? 'enough' : undefined;
      expect({ id, attemptsDone, cancelReason }).toEqual({
        id,
        attemptsDone: attempts,
        cancelReason: reason,
      });
      if (answer === 'cancelled') expect([id, status, started.has(id)]).toEqual([id, 'CANCELLED', false]);
      else if (answer === null) expect([id, status]).toEqual([id, 'DONE']);
      else expect([id, ['DONE', 'CANCELLED']]).toEqual([id, expect.arrayContaining([status])]);
      if (!isCancelled) expect([id, lastError]).toEqual([id, undefined]);
      ends.set(answer, (ends.get(answer) ?? 0) + 1);
    }
    expect([...ends.keys()].toSorted()).toEqual(['cancelled', null, 'stopping'].toSorted()); // each race has been run
  }, 300_000);

  it(`resolves ${WAITS} calls of waitFor, with one query a round`, async () => {
    const looks = jest.spyOn(queue.reads, 'statuses');
    const ids = Array.from({ length: WAITS }, (_, n) => `job ${n}`);
    await client.enqueueMany(ids.map((id) => ({ kind: 'take', id, payload: 0 })));
    const since = performance.now();
    const jobs = await Promise.all(ids.map((id) => client.waitFor(id, { timeoutMs: 120_000 })));
    const seconds = (performance.now() - since) / 1000;
    expect(jobs.every(({ status }) => status === 'DONE')).toBe(true);
    expect(jobs.map(({ id }) => id)).toEqual(ids);
    expect(looks.mock.calls.length).toBeGreaterThan(0);
    expect(looks.mock.calls.length).toBeLessThan(5 + 20 * seconds); // every 50 ms at most
  }, 180_000);
});

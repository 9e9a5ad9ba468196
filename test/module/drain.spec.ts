import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DataSource, type EntityManager } from 'typeorm';
import {
  JobClient,
  JobHandler,
  JobsError,
  JobsModule,
  Worker,
  type Job,
  type JobContext,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { drain, jobsTester, overrideJobs } from '../../lib/testing/index.js';
import { ended, TestApplications } from '../support/applications.js';
import { describeOn, oneOfEach, sqlite } from '../support/databases.js';
import { until } from '../support/until.js';

const logger = { debug: () => 0, log: () => 0, warn: () => 0, error: () => 0 };

@Injectable()
class Steps {
  started = 0;
  gate: Promise<unknown> = Promise.resolve();

  constructor(private readonly jobs: JobClient) {}

  @JobHandler('first')
  async first({ payload }: Job<string>): Promise<string> {
    await this.jobs.enqueue('second', payload);
    return `first ${payload}`;
  }

  @JobHandler('second', { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } })
  async second({ payload }: Job<string>, { signal }: JobContext): Promise<string> {
    this.started += 1;
    await this.gate;
    signal.throwIfAborted();
    return `second ${payload}`;
  }
}

describeOn([...oneOfEach, ...sqlite], 'On $name', (server) => {
  const applications = TestApplications.on(server);
  const rootOf = (options: JobsModuleOptions) => ({
    imports: [applications.typeOrm(), JobsModule.forRoot({ logger, minRetryDelayMs: 0, ...options })],
    providers: [Steps],
  });
  const start = (options: JobsModuleOptions = {}) => applications.start(rootOf(options));

  describe('drain(app)', () => {
    it('runs the due jobs and the jobs that they enqueue, and returns what it ran', async () => {
      const app = await start({ worker: false });
      const jobs = app.get(JobClient);
      await jobs.enqueue('first', 'a', { id: 'one' });
      await jobs.enqueue('first', 'b', { id: 'later', delayMs: 60_000 });
      expect(await drain(app)).toMatchObject([
        { id: 'one', kind: 'first', attempt: 1, outcome: 'done', job: { status: 'DONE', result: 'first a' } },
        { kind: 'second', outcome: 'done', job: { result: 'second a' } },
      ]);
      expect(await drain(app)).toEqual([]);
      expect((await jobs.get('later'))!.attemptsDone).toBe(0);
      expect(app.get(Worker).isRunning).toBe(false);
    });

    it('stops the worker for that time, waits for its running jobs, and starts it again', async () => {
      const app = await start();
      const [jobs, steps, worker] = [app.get(JobClient), app.get(Steps), app.get(Worker)];
      let open!: (value: unknown) => void;
      steps.gate = new Promise((resolve) => (open = resolve));
      await jobs.enqueue('second', 'a', { id: 'under way' });
      await until(() => steps.started === 1);
      const draining = drain(app);
      await jobs.enqueue('first', 'b');
      open(undefined);
      expect((await draining).map(({ kind }) => kind)).toEqual(['first', 'second']);
      expect(await jobs.get('under way')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(worker.isRunning).toBe(true);
      const { id } = await jobs.enqueue('first', 'c');
      expect(await ended(jobs, id)).toMatchObject({ status: 'DONE' });
    });

    it('gives up if jobs keep enqueueing jobs', async () => {
      const app = await start();
      const jobs = app.get(JobClient);
      await app.get(Worker).stop();
      await jobs.enqueueMany(Array.from({ length: 5 }, () => ({ kind: 'first', payload: 'x' })));
      await expect(drain(app, { maxJobs: 3 })).rejects.toBeInstanceOf(JobsError);
      expect(app.get(Worker).isRunning).toBe(false);
      expect(await drain(app)).toHaveLength(7);
    });
  });

  describe('overrideJobs with keepQueue', () => {
    const compile = async () => {
      const builder = overrideJobs(Test.createTestingModule(rootOf({ worker: { leaseMs: 1_000 } })), {
        keepQueue: true,
      });
      const app = await builder.compile();
      await app.init();
      return { app, jobs: app.get(JobClient), tester: jobsTester(app), steps: app.get(Steps) };
    };

    it('lets a test fail, crash and take away jobs in the database', async () => {
      const { app, jobs, tester } = await compile();
      try {
        await jobs.enqueue('second', 'x', { id: 'one' });
        tester.failNext('second', new Error('no'));
        expect(await tester.runNext()).toMatchObject({ id: 'one', outcome: 'retry' });
        await tester.loseLease('one');
        await until(async () => (await tester.runNext())?.outcome === 'lost');
        tester.crashDuring('second');
        expect(await tester.runNext()).toMatchObject({ attempt: 3, outcome: 'crashed' });
        expect(await tester.drain()).toEqual([]);
        let again = await tester.drain();
        await until(async () => (again = await tester.drain()).length > 0);
        expect(again).toMatchObject([{ id: 'one', attempt: 4, outcome: 'done' }]);
        expect(await jobs.get('one')).toMatchObject({ status: 'DONE', crashes: 2 });
      } finally {
        await app.close();
      }
    });

    it('throws an error that says that its clock cannot be moved', async () => {
      const { app, tester } = await compile();
      try {
        expect(() => tester.advance(1)).toThrow(/advance works only on a queue in memory/);
        expect(() => tester.enqueued()).toThrow(JobsError);
        expect(await drain(app)).toEqual([]);
      } finally {
        await app.close();
      }
    });
  });

  it("a transactional handler on the queue in memory writes to the application's database, or not at all", async () => {
    @Injectable()
    class Ledger {
      constructor(private readonly jobs: JobClient) {}

      @JobHandler('book', { transactional: true, maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } })
      async book({ payload }: Job<string>, { manager }: JobContext): Promise<void> {
        await manager.query(`INSERT INTO ledger (entry) VALUES ('${payload}')`);
        await this.jobs.enqueue('booked', payload);
      }

      @JobHandler('booked')
      booked(): void {}
    }
    if (server.type === 'better-sqlite3') return; // handlers cannot be transactional there
    const app = await overrideJobs(
      Test.createTestingModule({
        imports: [applications.typeOrm(), JobsModule.forRoot({ logger, minRetryDelayMs: 0 })],
        providers: [Ledger],
      }),
    ).compile();
    try {
      const [jobs, tester, dataSource] = [app.get(JobClient), jobsTester(app), app.get(DataSource)];
      await dataSource.query('CREATE TABLE ledger (entry varchar(20))');
      const entries = async () => (await dataSource.query<unknown[]>('SELECT entry FROM ledger')).length;
      await jobs.transaction(async (manager) => {
        await manager.query(`INSERT INTO ledger (entry) VALUES ('first')`);
        await jobs.enqueue('book', 'second', { id: 'one' });
        expect(tester.enqueued()).toEqual([]);
      });
      tester.crashDuring('book');
      expect(await tester.drain()).toMatchObject([{ id: 'one', outcome: 'crashed' }]);
      expect([await entries(), tester.enqueued('booked')]).toEqual([1, []]);
      tester.advance(31_000);
      await tester.loseLease('one');
      expect(await tester.runNext()).toMatchObject({ id: 'one', outcome: 'lost' });
      expect([await entries(), tester.enqueued('booked')]).toEqual([1, []]);
      expect(await tester.drain()).toMatchObject([{ id: 'one', outcome: 'done' }, { kind: 'booked' }]);
      expect(await entries()).toBe(2);
    } finally {
      await app.close();
    }
  });

  it("an enqueue on the queue in memory joins the transaction of the application's library", async () => {
    let ambient: EntityManager | undefined;
    const transactions = { current: () => ambient };
    const app = await overrideJobs(Test.createTestingModule(rootOf({ transactions }))).compile();
    try {
      const tester = jobsTester(app);
      await app.get(DataSource).transaction(async (manager) => {
        ambient = manager;
        await app.get(JobClient).enqueue('first', 'x');
        expect(tester.enqueued()).toEqual([]);
      });
      expect(tester.enqueued()).toHaveLength(1);
    } finally {
      await app.close();
    }
  });

  it('jobsTester says what to do if an application has its own worker', async () => {
    const app = await start({ worker: false });
    expect(() => jobsTester(app)).toThrow(/JobsTestingModule\.forRoot\(\).*overrideJobs\(\)/);
  });
});

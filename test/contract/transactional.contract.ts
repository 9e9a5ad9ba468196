import { describe, expect, it } from '@jest/globals';
import type { EntityManager, QueryRunner } from 'typeorm';
import { deferred } from '../../lib/async/deferred.js';
import { JobKinds } from '../../lib/client/job-kinds.js';
import { encodeDocument } from '../../lib/job/document.js';
import { InvalidOptionError, WorkerStoppedError, PermanentError } from '../../lib/job/errors.js';
import { TransactionUndoneError } from '../../lib/job/storage-errors.js';
import type { ClaimedJob, Job, JobContext } from '../../lib/job/job.js';
import type { TransactionalAttempt } from '../../lib/queue/job-queue.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, SqlStore, withMethods, type Store } from '../support/store.js';

type Work = (manager: EntityManager) => Promise<unknown>;

const TRANSACTIONAL = { transactional: true };

/** "All of that is committed together, or nothing." */
export function transactionalContract(store: Store): void {
  const attemptOn = (job: ClaimedJob, signal = new AbortController().signal): TransactionalAttempt => {
    const { id, leaseToken, lockedBy, attemptsDone } = job;
    return { id, leaseToken, lockedBy, attemptsDone, alone: false, signal };
  };
  const settle = (job: ClaimedJob, work: Work, signal?: AbortSignal) =>
    store.queue.runAndSettle(attemptOn(job, signal), async (manager) =>
      encodeDocument(await work(manager), 'result', 1000),
    );
  /** Claims a job, and creates a table for what its handler writes. */
  const claimed = async (id: string, terms = LONG): Promise<ClaimedJob> => {
    await store.dataSource.query('CREATE TABLE IF NOT EXISTS effects (job varchar(50))');
    await store.dataSource.query('DELETE FROM effects');
    await store.client.enqueue(KIND, null, { id });
    return store.claimOne(terms);
  };
  const write = (manager: EntityManager, name: string) =>
    manager.query(`INSERT INTO effects (job) VALUES ('${name}')`);
  const effects = async (): Promise<string[]> => {
    const rows = await store.dataSource.query<{ job: string }[]>('SELECT job FROM effects ORDER BY job');
    return rows.map(({ job }) => job);
  };
  /** What must exist after a commit, and after a rollback. */
  const expectCommitted = async (job: Job, result: unknown) => {
    const { result: stored, ...rest } = await store.job(job.id);
    expect(rest).toMatchObject({ status: 'DONE', attemptsDone: 1 });
    expect(stored).toEqual(result);
    expect(await effects()).toEqual([job.id]);
    expect(await store.client.get('follow-up')).not.toBeNull();
  };
  const expectNothing = async () => {
    expect(await effects()).toEqual([]);
    expect(await store.client.get('follow-up')).toBeNull();
  };
  /** Writes a row and enqueues a job. */
  const workOn = (job: Job) => async (manager: EntityManager) => {
    await write(manager, job.id);
    await store.client.enqueue('other', null, { id: 'follow-up' });
  };

  describe("An outcome that is settled together with the handler's writes", () => {
    it('is committed with the rows and the enqueued jobs, and wakes watchers after the commit', async () => {
      const job = await claimed('one');
      const heard: string[] = [];
      const unwatch = store.queue.watch((kinds) => heard.push(...(kinds ?? [])));
      const answer = await settle(job, async (manager) => {
        expect(store.queue.currentTransaction()?.queryRunner).toBe(manager.queryRunner);
        await workOn(job)(manager);
        expect(await effects()).toEqual([]);
        expect(heard).toEqual([]);
        return { answer: 42 };
      });
      expect(answer).toBe('written');
      await expectCommitted(job, { answer: 42 });
      expect((await store.job('one')).lockedBy).toBeUndefined();
      await until(() => heard.includes('other'), { what: 'the wake-up' });
      unwatch();
    });

    it('leaves nothing behind if the work throws, and rejects with its error', async () => {
      const job = await claimed('one');
      const fault = new Error('no');
      const failing = settle(job, async (manager) => {
        await workOn(job)(manager);
        throw fault;
      });
      await expect(failing).rejects.toBe(fault);
      await expectNothing();
      expect(await store.job('one')).toMatchObject({
        status: 'PENDING',
        lockedBy: 'tester',
        attemptsDone: 0,
      });
    });

    it('leaves nothing behind if the lease was lost in the meantime', async () => {
      const job = await claimed('one', SHORT);
      const answer = await settle(job, async (manager) => {
        await workOn(job)(manager);
        await store.reclaimed(1);
        expect(await store.claimOne()).toMatchObject({ id: 'one', leaseToken: job.leaseToken + 1 });
      });
      expect(answer).toBe('lost');
      await expectNothing();
      expect(await store.job('one')).toMatchObject({
        status: 'PENDING',
        lockedBy: 'tester',
        attemptsDone: 1,
      });
    });

    it('is written under a lease that was renewed in the meantime', async () => {
      const job = await claimed('one');
      const answer = await settle(job, async (manager) => {
        await workOn(job)(manager);
        expect(await store.queue.renew([{ ...job, alone: false }], 60_000)).toEqual(['written']);
      });
      expect(answer).toBe('written');
      await expectCommitted(job, undefined);
    });

    it('is rolled back and refuses every statement once the signal has aborted', async () => {
      const job = await claimed('one');
      const stopping = new AbortController();
      const reason = new WorkerStoppedError();
      let refusal: unknown;
      const failing = settle(
        job,
        async (manager) => {
          await workOn(job)(manager);
          stopping.abort(reason);
          refusal = await write(manager, 'late').catch((error: unknown) => error);
          return 'done all the same';
        },
        stopping.signal,
      );
      await expect(failing).rejects.toBe(reason);
      if (store instanceof SqlStore) expect(refusal).toBe(reason);
      await expectNothing();
    });

    it('does not wait for work that continues after its signal has aborted, and lets it write nothing', async () => {
      const job = await claimed('one');
      const stopping = new AbortController();
      const goOn = deferred();
      let late: Promise<unknown> | undefined;
      const failing = settle(
        job,
        (manager) =>
          manager.transaction(async (nested) => {
            await workOn(job)(nested);
            stopping.abort(new WorkerStoppedError());
            await goOn.promise;
            late = write(nested, 'late');
            await late;
          }),
        stopping.signal,
      );
      await expect(failing).rejects.toBeInstanceOf(WorkerStoppedError);
      goOn.resolve();
      await until(() => late !== undefined, { what: 'the late statement' });
      await expect(late).rejects.toThrow();
      await expectNothing();
    });

    it('is rolled back if the work leaves a nested transaction open', async () => {
      if (!(store instanceof SqlStore)) return;
      const job = await claimed('one');
      const never = deferred();
      let left: Promise<unknown> | undefined;
      const failing = settle(job, async (manager) => {
        left = manager.transaction(() => never.promise);
        await workOn(job)(manager);
      });
      await expect(failing).rejects.toThrow('await each nested transaction');
      await expectNothing();
      never.resolve();
      await expect(left).rejects.toThrow(); // the transaction has ended
    });

    it('waits for a row that is currently locked', async () => {
      if (!(store instanceof SqlStore)) return;
      const job = await claimed('one');
      const other = store.dataSource.createQueryRunner();
      await other.startTransaction();
      await other.query("SELECT id FROM nest_jobs WHERE id = 'one' FOR UPDATE");
      const settling = settle(job, workOn(job));
      await until(async () => (await store.queue.renew([{ ...job, alone: false }], 60_000))[0] === 'busy');
      await other.rollbackTransaction();
      await other.release();
      expect(await settling).toBe('written');
      await expectCommitted(job, undefined);
    });
  });

  describe('A transactional handler', () => {
    const run = (handler: (job: Job, context: JobContext) => unknown, options = {}) =>
      store.work({ [KIND]: { run: handler, options: { ...TRANSACTIONAL, ...options } } });
    const enqueued = async (id = 'one') => {
      await claimed(id);
      await store.queue.release([{ id, leaseToken: 1, lockedBy: LONG.workerId }]);
    };

    it('has the manager of its transaction, and other handlers get an error that says why they have none', async () => {
      await enqueued();
      await run(async (job, { manager }) => workOn(job)(manager));
      await store.ended('one');
      await expectCommitted(await store.job('one'), undefined);
      await store.work({ plain: (_job, { manager }) => manager });
      await store.client.enqueue('plain', null, { id: 'plain' });
      expect((await store.ended('plain')).lastError).toContain(
        'set { transactional: true } in its @JobHandler',
      );
    });

    it('that is cancelled before it has returned has written nothing, whatever it returns', async () => {
      await enqueued();
      const begun = deferred();
      await run(async (job, { manager, signal }) => {
        await workOn(job)(manager);
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return 'all the same';
      });
      await begun.promise;
      expect(await store.client.cancel('one', { reason: 'enough', outside: true })).toBe('stopping');
      const job = await store.ended('one');
      expect(job).toMatchObject({ status: 'CANCELLED', cancelReason: 'enough', attemptsDone: 1 });
      expect(job.result).toBeUndefined();
      await expectNothing();
    });

    it('that a pause stops has written nothing, and its job is given back when it has ended', async () => {
      await enqueued();
      const [begun, goOn] = [deferred(), deferred()];
      await run(async (job, { manager, signal }) => {
        await workOn(job)(manager);
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await goOn.promise;
        return 'all the same';
      });
      await begun.promise;
      await new JobKinds(store.queue).pause(KIND, { stopRunning: true, wait: true, outside: true });
      expect(await store.job('one')).toMatchObject({ state: 'running' });
      goOn.resolve();
      const job = await store.once('one', ({ state }) => state === 'ready');
      expect(job).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      await expectNothing();
    });

    it('that throws has written nothing, but its failure is recorded', async () => {
      await enqueued();
      await run(async (job, { manager }) => {
        await workOn(job)(manager);
        throw new PermanentError('declined');
      });
      expect(await store.ended('one')).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect((await store.job('one')).lastError).toContain('declined');
      await expectNothing();
    });

    it('that is retried has written once', async () => {
      await enqueued();
      await run(
        async (job, { manager, attempt }) => {
          await workOn(job)(manager);
          if (attempt === 1) throw new Error('not yet');
        },
        { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } },
      );
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 2 });
      expect(await effects()).toEqual(['one']);
    });

    it('that takes too long has written nothing, even if it continues', async () => {
      await enqueued();
      const goOn = deferred();
      await run(
        async (job, { manager }) => {
          await workOn(job)(manager);
          await goOn.promise;
          await write(manager, 'late');
        },
        { timeoutMs: 50 },
      );
      const job = await store.ended('one');
      goOn.resolve();
      expect(job).toMatchObject({ status: 'FAILED', lastError: expect.stringContaining('JobTimeoutError') });
      await expectNothing();
    });

    it('loses no lease by a renewal that comes between its commit and the answer to that', async () => {
      await enqueued();
      const renewed: unknown[] = [];
      const queue = withMethods(store.queue, {
        runAndSettle: async (...attempt) => {
          const answer = await store.queue.runAndSettle(...attempt);
          await until(() => renewed.includes('lost'));
          return answer;
        },
        renew: async (...renewal) => {
          const answers = await store.queue.renew(...renewal);
          renewed.push(...answers);
          return answers;
        },
      });
      const signals: AbortSignal[] = [];
      const worker = await store.work(
        { [KIND]: { run: (_job, { signal }) => void signals.push(signal), options: TRANSACTIONAL } },
        { leaseMs: 9_000, heartbeatMs: 100 },
        queue,
      );
      await store.ended('one');
      await worker.stop();
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      expect(store.logged('warn', 'is lost')).toBe(false);
    });

    it('that a shutdown interrupts has written nothing, and its job is given back', async () => {
      await enqueued();
      const begun = deferred();
      const worker = await store.work(
        {
          [KIND]: {
            run: async (job: Job, { manager, signal }: JobContext) => {
              await workOn(job)(manager);
              begun.resolve();
              await new Promise((resolve) => signal.addEventListener('abort', resolve));
            },
            options: TRANSACTIONAL,
          },
        },
        { shutdownTimeoutMs: 10 },
      );
      await begun.promise;
      await worker.stop();
      const job = await store.once('one', ({ lockedBy }) => lockedBy === undefined);
      expect(job).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      await expectNothing();
    });

    it('with keepResult: false stores no result', async () => {
      await enqueued();
      await run(
        async (job, { manager }) => {
          await workOn(job)(manager);
          return new Map();
        },
        { keepResult: false },
      );
      await expectCommitted(await store.ended('one'), undefined);
    });

    it('has its result checked like any other', async () => {
      await enqueued();
      await run(async (job, { manager }) => {
        await workOn(job)(manager);
        return NaN;
      });
      expect(await store.ended('one')).toMatchObject({ status: 'FAILED' });
      await expectNothing();
    });
  });

  const tools = { claimed, settle, effects, workOn, expectCommitted, expectNothing };
  if (store instanceof SqlStore) transactionalDatabaseContract(store, tools);
}

interface TransactionalTools {
  readonly claimed: (id: string) => Promise<ClaimedJob>;
  readonly settle: (job: ClaimedJob, work: Work) => Promise<'written' | 'lost'>;
  readonly effects: () => Promise<string[]>;
  readonly workOn: (job: Job) => Work;
  readonly expectCommitted: (job: Job, result: unknown) => Promise<void>;
  readonly expectNothing: () => Promise<void>;
}

/** What a database can do to transactions. */
function transactionalDatabaseContract(store: SqlStore, tools: TransactionalTools): void {
  const { claimed, settle, effects, workOn, expectCommitted, expectNothing } = tools;
  /** Calls `instead` in place of the next COMMIT of the transaction. */
  const atCommit = (
    { queryRunner }: EntityManager,
    instead: (commit: () => Promise<unknown>) => Promise<unknown>,
  ) => {
    const query = queryRunner!.query.bind(queryRunner) as (...args: unknown[]) => Promise<unknown>;
    queryRunner!.query = ((...args: unknown[]) =>
      args[0] === 'COMMIT' ? instead(() => query(...args)) : query(...args)) as QueryRunner['query'];
  };
  const ownConnection = async (manager: EntityManager): Promise<number> => {
    const [row] = await manager.query<{ id: number }[]>(
      store.isPostgres ? 'SELECT pg_backend_pid() AS id' : 'SELECT CONNECTION_ID() AS id',
    );
    return row!.id;
  };
  const accounts = async () => {
    await store.dataSource.query('CREATE TABLE IF NOT EXISTS accounts (id int PRIMARY KEY, cents int)');
    await store.dataSource.query('DELETE FROM accounts');
    await store.dataSource.query('INSERT INTO accounts VALUES (1, 0), (2, 0)');
  };
  const add = (manager: EntityManager, id: number) =>
    manager.query(`UPDATE accounts SET cents = cents + 1 WHERE id = ${id}`);
  const kill = (id: number) =>
    store.dataSource.query(store.isPostgres ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`);

  describe("A handler's transaction that the database ends", () => {
    it('has written its outcome if only the answer to the commit was lost', async () => {
      const job = await claimed('one');
      const answer = await settle(job, async (manager) => {
        await workOn(job)(manager);
        atCommit(manager, async (commit) => {
          await commit();
          throw new Error('Connection terminated unexpectedly');
        });
      });
      expect(answer).toBe('written');
      await expectCommitted(job, undefined);
    });

    it('has written nothing if the connection died before the commit', async () => {
      const job = await claimed('one');
      const undone = settle(job, async (manager) => {
        await workOn(job)(manager);
        const id = await ownConnection(manager);
        atCommit(manager, async (commit) => {
          await kill(id);
          return commit();
        });
      });
      await expect(undone).rejects.toBeInstanceOf(TransactionUndoneError);
      await expect(undone).rejects.toMatchObject({ begun: true });
      await expectNothing();
      expect(await settle(job, workOn(job))).toBe('written'); // the lease is still ours
      await expectCommitted(job, undefined);
    });

    it('learns only that the job belongs to another worker if the lease was lost at the commit', async () => {
      const job = await claimed('one');
      const answer = await settle(job, async (manager) => {
        await workOn(job)(manager);
        const id = await ownConnection(manager);
        atCommit(manager, async (commit) => {
          await kill(id);
          await until(async () => (await store.queue.renew([{ ...job, alone: false }], 0))[0] === 'written');
          await store.reclaimed(1);
          return commit();
        });
      });
      expect(answer).toBe('lost');
      await expectNothing();
    });

    it('is rolled back without failing the job if the connection died under the handler', async () => {
      const job = await claimed('one');
      const undone = settle(job, async (manager) => {
        await workOn(job)(manager);
        await kill(await ownConnection(manager));
        await manager.query('SELECT 1');
      });
      await expect(undone).rejects.toBeInstanceOf(TransactionUndoneError);
      await expectNothing();
    });

    it('is repeated without counting an attempt if it met a deadlock', async () => {
      await accounts();
      await claimed('one');
      await store.queue.release([{ id: 'one', leaseToken: 1, lockedBy: LONG.workerId }]);
      let calls = 0;
      let both = 0;
      const transfer =
        (from: number, to: number) =>
        async (_job: unknown, { manager }: JobContext) => {
          calls += 1;
          await add(manager, from);
          both += 1;
          await until(() => both >= 2, { what: 'both hold a row' });
          await add(manager, to);
        };
      await store.work({
        [KIND]: { run: transfer(1, 2), options: TRANSACTIONAL },
        other: { run: transfer(2, 1), options: TRANSACTIONAL },
      });
      await store.client.enqueue('other', null, { id: 'two' });
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(await store.ended('two')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      const isUndone = ({ message }: { message: string }) => message.includes('was undone by the database');
      const undone = store.logs.filter(isUndone).length;
      expect(undone).toBeGreaterThan(0); // it may meet the other one a second time
      expect(calls).toBe(2 + undone);
      expect(await store.dataSource.query('SELECT cents FROM accounts')).toEqual([
        { cents: 2 },
        { cents: 2 },
      ]);
    });

    it('is begun again if it could not begin, more often than a handler is called, without counting an attempt', async () => {
      await claimed('one');
      await store.queue.release([{ id: 'one', leaseToken: 1, lockedBy: LONG.workerId }]);
      const dataSource = await store.database.connect();
      const create = dataSource.createQueryRunner.bind(dataSource);
      let failures = 4;
      dataSource.createQueryRunner = (...args) => {
        const queryRunner = create(...args);
        const start = queryRunner.startTransaction.bind(queryRunner);
        queryRunner.startTransaction = async (isolation) => {
          if (failures-- > 0) throw new Error('Connection terminated unexpectedly');
          await start(isolation);
        };
        return queryRunner;
      };
      const queue = store.openOn(dataSource);
      let calls = 0;
      const run = () => void (calls += 1);
      const worker = await store.work({ [KIND]: { run, options: TRANSACTIONAL } }, {}, queue);
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(calls).toBe(1);
      expect(failures).toBeLessThan(0);
      await worker.stop();
      await queue.close();
      await dataSource.destroy();
    });

    it('fails if a wrong option keeps it from beginning, instead of beginning again forever', async () => {
      await claimed('one');
      await store.queue.release([{ id: 'one', leaseToken: 1, lockedBy: LONG.workerId }]);
      const run = () => Promise.reject(new InvalidOptionError('connectionNames', [], 'with this DataSource'));
      const queue = store.openOn(store.dataSource, { transactions: { current: () => undefined, run } });
      const worker = await store.work({ [KIND]: { run: () => 'ran', options: TRANSACTIONAL } }, {}, queue);
      const job = await store.ended('one');
      expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(job.lastError).toMatch(/^InvalidOptionError: .*connectionNames/);
      await worker.stop();
      await queue.close();
    });

    it('lets a handler that has swallowed a deadlock write nothing else', async () => {
      await accounts();
      const jobs = [await claimed('one'), await claimed('two')];
      let both = 0;
      const transfer = async (manager: EntityManager, job: Job, ids: readonly [number, number]) => {
        await add(manager, ids[0]);
        both += 1;
        await until(() => both === 2, { what: 'both hold a row' });
        await add(manager, ids[1]).catch(() => undefined);
        await manager.query(`INSERT INTO effects (job) VALUES ('${job.id}')`).catch(() => undefined);
      };
      const ends = await Promise.allSettled([
        settle(jobs[0]!, (manager) => transfer(manager, jobs[0]!, [1, 2])),
        settle(jobs[1]!, (manager) => transfer(manager, jobs[1]!, [2, 1])),
      ]);
      const winner = ends.findIndex(({ status }) => status === 'fulfilled');
      expect(ends[1 - winner]).toMatchObject({ reason: expect.any(TransactionUndoneError) });
      expect(await effects()).toEqual([jobs[winner]!.id]);
      expect(await store.job(jobs[1 - winner]!.id)).toMatchObject({ status: 'PENDING' });
    });

    if (store.isPostgres) {
      it('reads committed rows even if the sessions of the application would not, because the lease is renewed meanwhile', async () => {
        const options = '-c default_transaction_isolation=serializable';
        const dataSource = await store.database.connect({ extra: { options } });
        const queue = store.openOn(dataSource);
        const job = await claimed('one');
        const attempt = { ...job, alone: false, signal: new AbortController().signal };
        const answer = await queue.runAndSettle(attempt, async (manager) => {
          await manager.query('SELECT count(*) FROM nest_jobs');
          expect(await queue.renew([attempt], 60_000)).toEqual(['written']);
          return encodeDocument('done', 'result', 100);
        });
        expect(answer).toBe('written');
        await queue.close();
        await dataSource.destroy();
      });

      it('fails if a deferred constraint is violated at the commit', async () => {
        await store.dataSource.query(
          'CREATE TABLE IF NOT EXISTS late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)',
        );
        const job = await claimed('one');
        const failing = settle(job, async (manager) => {
          await workOn(job)(manager);
          await manager.query('INSERT INTO late VALUES (1), (1)');
        });
        await expect(failing).rejects.toMatchObject({ driverError: { code: '23505' } });
        await expectNothing();
      });
    }

    it("fails if the handler has swallowed a statement's error and the database does not continue", async () => {
      const job = await claimed('one');
      const settling = settle(job, async (manager) => {
        await workOn(job)(manager);
        await manager.query('SELECT nothing FROM nowhere').catch(() => undefined);
      });
      if (store.isPostgres) {
        await expect(settling).rejects.toMatchObject({ driverError: { code: '25P02' } });
        await expectNothing();
      } else {
        expect(await settling).toBe('written');
        await expectCommitted(job, undefined);
      }
    });

    it('waits while others hold half of the pool, so that other statements of handlers find connections', async () => {
      const dataSource = await store.database.connect({ poolSize: 4 });
      const queue = store.openOn(dataSource);
      await store.dataSource.query('CREATE TABLE IF NOT EXISTS effects (job varchar(50))');
      await store.dataSource.query('DELETE FROM effects');
      let open = 0;
      let most = 0;
      const handler = async (job: Job, { manager }: JobContext) => {
        most = Math.max(most, ++open);
        await manager.query(`INSERT INTO effects (job) VALUES ('${job.id}')`);
        await dataSource.query('SELECT 1'); // on another connection than the transaction's
        open -= 1;
      };
      await store.client.enqueueMany(Array.from({ length: 20 }, () => ({ kind: KIND })));
      const worker = await store.work({ [KIND]: { run: handler, options: TRANSACTIONAL } }, {}, queue);
      await until(async () => (await effects()).length === 20, { what: 'all have been done' });
      expect(most).toBe(2);
      await worker.stop();
      await queue.close();
      await dataSource.destroy();
    });
  });
}

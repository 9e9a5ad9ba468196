import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../lib/async/deferred.js';
import {
  CancelJobError,
  JobCancelledError,
  JobNotWaitingError,
  JobRunningError,
} from '../../lib/job/control-errors.js';
import { DuplicateJobError, InvalidJobError, RetryableError } from '../../lib/job/errors.js';
import type { UniqueOptions } from '../../lib/job/unique.js';
import type { Job, JobContext } from '../../lib/job/job.js';
import { KIND, LONG, SHORT, SqlStore, type Store } from '../support/store.js';

const HOUR = 3_600_000;

/** What is done with jobs that are there: cancel, retry, update, run now, clone, delete. */
export function editsContract(store: Store): void {
  /** A worker runs a job until its signal aborts, or the test says how it ends. */
  const running = async (id = 'job', handler?: (context: JobContext<never>) => unknown) => {
    const started = deferred<JobContext<never>>();
    const untilAborted = ({ signal }: JobContext<never>) =>
      new Promise((_resolve, reject) => {
        const abort = () => reject(signal.reason as Error);
        if (signal.aborted) abort();
        signal.addEventListener('abort', abort);
      });
    await store.work({
      [KIND]: (_job, context) => {
        started.resolve(context);
        return handler === undefined ? untilAborted(context) : handler(context);
      },
    });
    await store.client.enqueue(KIND, null, { id });
    return started.promise;
  };
  /** A job that has ended in this status. */
  const ended = async (status: 'FAILED' | 'PANIC' | 'CANCELLED' | 'DONE', id = 'job') => {
    await store.client.enqueue(KIND, { n: 1 }, { id });
    if (status === 'CANCELLED') await store.client.cancel(id);
    const [job] = status === 'CANCELLED' ? [] : await store.queue.claim([KIND], 1, LONG);
    if (job === undefined) return;
    const lastError = 'it was so';
    const outcome = {
      FAILED: { type: 'failed', lastError } as const,
      PANIC: { type: 'panic', lastError } as const,
      DONE: { type: 'done', result: { json: '1', bytes: null } } as const,
    }[status as 'FAILED'];
    expect(await store.queue.settle([{ ...job, outcome }])).toEqual(['written']);
  };

  describe('5. Cancel', () => {
    it.each([
      ['ready', {}],
      ['scheduled', { delayMs: HOUR }],
    ])('ends a job at once that is %s, with the reason', async (state, options) => {
      const { id } = await store.client.enqueue(KIND, null, options);
      expect(await store.job(id)).toMatchObject({ state });
      expect(await store.client.cancel(id, { reason: 'no longer wanted' })).toBe('cancelled');
      expect(await store.job(id)).toMatchObject({
        status: 'CANCELLED',
        state: 'cancelled',
        cancelReason: 'no longer wanted',
        attemptsDone: 0,
      });
      expect(await store.queue.claim([KIND], 10, LONG)).toEqual([]);
    });

    it('answers null for a job that has ended, and for none', async () => {
      await ended('DONE');
      expect(await store.client.cancel('job')).toBeNull();
      expect(await store.job('job')).toMatchObject({ status: 'DONE' });
      expect(await store.client.cancel('none')).toBeNull();
      await ended('CANCELLED', 'other');
      expect(await store.client.cancel('other', { reason: 'again' })).toBeNull();
      expect((await store.job('other')).cancelReason).toBeUndefined();
    });

    it('aborts the signal of a job that runs, and one whose handler throws is CANCELLED', async () => {
      const { signal } = await running();
      expect(await store.client.cancel('job', { reason: 'enough' })).toBe('stopping');
      const job = await store.ended('job');
      expect(signal.reason).toBeInstanceOf(JobCancelledError);
      expect(signal.reason).toMatchObject({ jobId: 'job', reason: 'enough' });
      expect(job).toMatchObject({ status: 'CANCELLED', cancelReason: 'enough', attemptsDone: 1 });
      expect(job.lastError).toBeUndefined();
    });

    it('leaves a job DONE with its result whose handler returns all the same', async () => {
      const returns = deferred<string>();
      await running('job', () => returns.promise);
      expect(await store.client.cancel('job')).toBe('stopping');
      expect(await store.client.cancel('job')).toBe('stopping');
      expect(await store.job('job')).toMatchObject({ state: 'stopping' });
      returns.resolve('finished');
      expect(await store.ended('job')).toMatchObject({ status: 'DONE', result: 'finished' });
    });

    it.each([
      ['is to be retried', { type: 'retry', delayMs: 1_000, lastError: 'e' } as const],
      ['has failed', { type: 'failed', lastError: 'e' } as const],
      ['has panicked', { type: 'panic', lastError: 'e' } as const],
    ])('cancels a job whose worker knows of nothing, and says that it %s', async (_what, outcome) => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      await store.client.enqueue(KIND, null, { id: 'another' });
      const jobs = await store.queue.claim([KIND], 2, LONG);
      await store.client.cancel('job', { reason: 'enough' });
      expect(await store.queue.settle(jobs.map((job) => ({ ...job, outcome })))).toEqual([
        'written',
        'written',
      ]);
      expect(await store.job('job')).toMatchObject({
        status: 'CANCELLED',
        cancelReason: 'enough',
        attemptsDone: 1,
        lastError: 'e',
      });
      expect(['PENDING', 'FAILED', 'PANIC']).toContain((await store.job('another')).status);
    });

    it('answers a renewal with the request, and renews all the same', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      await store.client.enqueue(KIND, null, { id: 'other' });
      const jobs = await store.queue.claim([KIND], 2, LONG);
      await store.client.cancel('job', { reason: 'enough' });
      const leases = jobs.map((job) => ({ ...job, alone: false }));
      const answers = await store.queue.renew(leases, 60_000);
      const byId = Object.fromEntries(jobs.map(({ id }, index) => [id, answers[index]]));
      expect(byId).toEqual({ job: { reason: 'enough' }, other: 'written' });
    });

    it('cancels a job that is given back', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      await store.client.enqueue(KIND, null, { id: 'forgotten' });
      const jobs = await store.queue.claim([KIND], 2, LONG);
      for (const { id } of jobs) expect(await store.client.cancel(id)).toBe('stopping');
      await store.queue.release(jobs.filter(({ id }) => id === 'job'));
      await store.queue.releaseUnheld(LONG.workerId, []);
      for (const { id } of jobs)
        expect(await store.job(id)).toMatchObject({ status: 'CANCELLED', attemptsDone: 0 });
      expect(await store.queue.claim([KIND], 10, LONG)).toEqual([]);
    });

    it('cancels a job whose worker dies, and counts no crash', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const [job] = await store.queue.claim([KIND], 1, SHORT);
      expect(await store.client.cancel('job', { reason: 'enough' })).toBe('stopping');
      const reclaimed = await store.reclaimed(1);
      expect(reclaimed).toEqual([
        { id: 'job', kind: KIND, workerId: SHORT.workerId, crashes: 0, status: 'CANCELLED' },
      ]);
      expect(await store.job('job')).toMatchObject({
        status: 'CANCELLED',
        crashes: 0,
        attemptsDone: 1,
        cancelReason: 'enough',
      });
      expect(await store.queue.settle([{ ...job!, outcome: { type: 'failed', lastError: '' } }])).toEqual([
        'lost',
      ]);
    });

    it('joins a transaction: nothing is cancelled where it is rolled back', async () => {
      const { id } = await store.client.enqueue(KIND);
      const undone = store.client.transaction(async () => {
        expect(await store.client.cancel(id)).toBe('cancelled');
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect(await store.job(id)).toMatchObject({ state: 'ready' });
      await store.client.transaction(() => store.client.cancel(id));
      expect(await store.job(id)).toMatchObject({ state: 'cancelled' });
    });

    if (store instanceof SqlStore && store.hasManyWriters)
      it('waits for a row that another transaction has locked', async () => {
        const { id } = await store.client.enqueue(KIND);
        let hasEnded = false;
        let cancelling: Promise<unknown> | undefined;
        await store.dataSource.transaction(async (manager) => {
          await manager.query(`SELECT id FROM nest_jobs WHERE id = '${id}' FOR UPDATE`);
          cancelling = store.client.cancel(id).finally(() => (hasEnded = true));
          for (let n = 0; n < 20; n++) await store.client.get(id); // long enough for a statement that passes over it
          expect(hasEnded).toBe(false);
        });
        expect(await cancelling).toBe('cancelled');
      });

    it('is refused with a reason that no database takes', async () => {
      const { id } = await store.client.enqueue(KIND);
      await expect(store.client.cancel(id, { reason: 'a\0b' })).rejects.toBeInstanceOf(InvalidJobError);
      await expect(store.client.cancel('')).rejects.toBeInstanceOf(InvalidJobError);
      expect(await store.job(id)).toMatchObject({ state: 'ready' });
    });

    it('comes from within by a CancelJobError, and no attempt follows', async () => {
      await store.client.enqueue(KIND, null, { id: 'job', maxAttempts: 5 });
      await store.queue.dequeue([KIND], () => {
        throw new CancelJobError('the order is gone');
      });
      expect(await store.job('job')).toMatchObject({
        status: 'CANCELLED',
        cancelReason: 'the order is gone',
        attemptsDone: 1,
      });
    });
  });

  describe('5. Retry', () => {
    it.each(['FAILED', 'PANIC', 'CANCELLED'] as const)('makes a job ready that is %s', async (status) => {
      await ended(status);
      const before = await store.job('job');
      const job = await store.client.retry('job');
      expect(job).toMatchObject({ id: 'job', state: 'ready', attemptsDone: before.attemptsDone, crashes: 0 });
      expect(job!.cancelReason).toBeUndefined();
      await store.queue.dequeue([KIND], (again) => again.payload);
      expect(await store.job('job')).toMatchObject({
        status: 'DONE',
        result: { n: 1 },
        attemptsDone: before.attemptsDone + 1,
      });
    });

    it('answers null for a job that is DONE or has not ended, and for none', async () => {
      await ended('DONE');
      await store.client.enqueue(KIND, null, { id: 'open' });
      for (const id of ['job', 'open', 'none']) expect(await store.client.retry(id)).toBeNull();
      expect(await store.job('job')).toMatchObject({ status: 'DONE' });
    });

    it('gives a fresh budget of attempts, and their number goes on rising', async () => {
      const attempts: number[] = [];
      await store.client.enqueue(KIND, null, { id: 'job', maxAttempts: 2, tags: ['kept'] });
      const fail = async () => {
        await store.queue.dequeue([KIND], (_job, { attempt }) => {
          attempts.push(attempt);
          throw new Error('no');
        });
        if ((await store.job('job')).status === 'PENDING') await store.client.runNow('job');
      };
      for (let n = 0; n < 2; n++) await fail();
      expect(await store.job('job')).toMatchObject({ status: 'FAILED', attemptsDone: 2 });
      await store.client.retry('job');
      await fail();
      expect(await store.job('job')).toMatchObject({ status: 'PENDING', attemptsDone: 3 });
      await fail();
      expect(await store.job('job')).toMatchObject({
        status: 'FAILED',
        attemptsDone: 4,
        attemptsBefore: 2,
        tags: ['kept'],
      });
      expect(attempts).toEqual([1, 2, 3, 4]);
    });

    it('gives a fresh budget of crashes', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      for (let crash = 1; crash <= 2; crash++) {
        await store.queue.claim([KIND], 1, { ...SHORT, alone: true });
        await store.reclaimed(1, 2);
      }
      expect(await store.job('job')).toMatchObject({ status: 'PANIC', crashes: 2 });
      expect(await store.client.retry('job')).toMatchObject({ state: 'ready', crashes: 0, attemptsDone: 2 });
    });

    it('starts at an instant, or after a time, where that is given', async () => {
      await ended('FAILED');
      const runAt = new Date(Date.now() + HOUR);
      expect(await store.client.retry('job', { runAt })).toMatchObject({ state: 'retrying', runAt });
      await ended('CANCELLED', 'other');
      expect(await store.client.retry('other', { delayMs: HOUR })).toMatchObject({ state: 'scheduled' });
      expect(await store.queue.claim([KIND], 10, LONG)).toEqual([]);
    });

    it('wakes an idle worker', async () => {
      await ended('FAILED');
      await store.work({ [KIND]: () => 'again' }, { pollIntervalMs: 60_000 });
      await store.client.retry('job');
      expect(await store.ended('job')).toMatchObject({ status: 'DONE', result: 'again' });
    });

    describe('of a job with a unique key', () => {
      const unsettled = { key: 'k', while: 'unsettled' } as const;
      const failed = async (unique: UniqueOptions) => {
        await store.client.enqueue(KIND, { n: 1 }, { id: 'job', unique });
        const job = await store.claimOne();
        await store.queue.settle([{ ...job, outcome: { type: 'failed', lastError: 'it was so' } }]);
      };

      it('holds the key again', async () => {
        await failed(unsettled);
        expect(await store.client.retry('job')).toMatchObject({ state: 'ready', uniqueKey: 'k' });
        const other = await store.client.enqueue(KIND, { n: 2 }, { unique: unsettled });
        expect(other).toMatchObject({ id: 'job', enqueued: 'joined' });
      });

      it('is refused where another job has it by now, and changes nothing', async () => {
        await failed(unsettled);
        const other = await store.client.enqueue(KIND, { n: 2 }, { unique: unsettled });
        const error: unknown = await store.client.retry('job').catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(DuplicateJobError);
        expect(error).toMatchObject({ id: other.id, kind: KIND, key: 'k' });
        expect(await store.job('job')).toMatchObject({ status: 'FAILED' });
        await store.client.cancel(other.id);
        expect(await store.client.retry('job')).toMatchObject({ state: 'ready' });
      });

      it('has held it only until its first attempt, and is retried beside another', async () => {
        await failed({ key: 'k' });
        const other = await store.client.enqueue(KIND, { n: 2 }, { unique: { key: 'k' } });
        expect(other.enqueued).toBe('created');
        expect(await store.client.retry('job')).toMatchObject({ state: 'ready' });
      });

      it('waits for its first attempt once more where it was cancelled before that', async () => {
        await store.client.enqueue(KIND, { n: 1 }, { id: 'job', unique: { key: 'k' } });
        await store.client.cancel('job');
        const other = await store.client.enqueue(KIND, { n: 2 }, { unique: { key: 'k' } });
        await expect(store.client.retry('job')).rejects.toMatchObject({ id: other.id });
        await store.client.delete(other.id);
        await store.client.retry('job');
        const third = await store.client.enqueue(KIND, { n: 3 }, { unique: { key: 'k' } });
        expect(third).toMatchObject({ id: 'job', enqueued: 'joined' });
      });

      it('does not keep it where the transaction is rolled back', async () => {
        await failed(unsettled);
        const undone = store.client.transaction(async () => {
          expect(await store.client.retry('job')).toMatchObject({ state: 'ready' });
          throw new Error('undone');
        });
        await expect(undone).rejects.toThrow('undone');
        const other = await store.client.enqueue(KIND, { n: 2 }, { unique: unsettled });
        expect(other.enqueued).toBe('created');
      });
    });

    it('joins a transaction', async () => {
      await ended('FAILED');
      const undone = store.client.transaction(async () => {
        await store.client.retry('job');
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect(await store.job('job')).toMatchObject({ status: 'FAILED' });
    });
  });

  describe('5. Update', () => {
    const change = { payload: { n: 2 }, priority: -3, maxAttempts: 7, tags: ['b'] };

    it('changes all that it is given, and leaves the rest', async () => {
      const before = await store.client.enqueue(KIND, { n: 1 }, { id: 'job', tags: ['a'], delayMs: HOUR });
      const after = await store.client.update('job', change);
      expect(after).toMatchObject({ ...change, id: 'job', runAt: before.runAt, state: 'scheduled' });
      expect(await store.client.update('job', { priority: 4 })).toMatchObject({ ...change, priority: 4 });
      expect((await store.client.update('job', { tags: [] })).tags).toBeUndefined();
    });

    it('moves the start, in both directions', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const runAt = new Date(Date.now() + HOUR);
      expect(await store.client.update('job', { runAt })).toMatchObject({ runAt, state: 'scheduled' });
      expect(await store.queue.claim([KIND], 1, LONG)).toEqual([]);
      expect(await store.client.runNow('job')).toMatchObject({ state: 'ready' });
      expect(await store.queue.claim([KIND], 1, LONG)).toHaveLength(1);
    });

    it('takes bytes and nothing as a payload', async () => {
      await store.client.enqueue(KIND, { n: 1 }, { id: 'job' });
      const bytes = new Uint8Array([1, 0, 255]);
      expect((await store.client.update('job', { payload: bytes })).payload).toEqual(bytes);
      expect((await store.client.update('job', { payload: undefined })).payload).toBeUndefined();
      const [job] = await store.queue.claim([KIND], 1, LONG);
      expect(job).toMatchObject({ payload: undefined, payloadSize: 0 });
    });

    it.each(['running', 'ended', 'missing'])('is refused for a job that is %s', async (what) => {
      if (what === 'running') {
        await store.client.enqueue(KIND, { n: 1 }, { id: 'job' });
        await store.queue.claim([KIND], 1, LONG);
      }
      if (what === 'ended') await ended('FAILED');
      const refused = { jobId: 'job', state: { running: 'running', ended: 'failed', missing: null }[what] };
      for (const call of [
        () => store.client.update('job', { payload: 2 }),
        () => store.client.update('job', { priority: 2 }),
        () => store.client.runNow('job'),
      ]) {
        const error: unknown = await call().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(JobNotWaitingError);
        expect(error).toMatchObject(refused);
      }
      if (what !== 'missing') expect((await store.job('job')).payload).toEqual({ n: 1 });
    });

    it('is refused with what no job has, and changes nothing', async () => {
      await store.client.enqueue(KIND, { n: 1 }, { id: 'job' });
      for (const wrong of [
        { priority: 1.5 },
        { kind: 'other' },
        { id: 'x' },
        { payload: 1n },
        { runAt: 'soon' },
        { tags: ['a', 'a'] },
        { nonsense: 1 },
        null,
      ])
        await expect(store.client.update('job', wrong as never)).rejects.toBeInstanceOf(InvalidJobError);
      expect(await store.job('job')).toMatchObject({ payload: { n: 1 }, priority: 0 });
    });

    it('sees a job that the same transaction has enqueued', async () => {
      const after = await store.client.transaction(async () => {
        await store.client.enqueue(KIND, { n: 1 }, { id: 'job' });
        return store.client.update('job', { priority: 5 });
      });
      expect(after).toMatchObject({ payload: { n: 1 } });
      expect(await store.job('job')).toMatchObject({ payload: { n: 1 }, priority: 5 });
    });

    it('shows a handler the job as it was or as it is, while updates and claims race', async () => {
      const seen: Job[] = [];
      await store.work({ [KIND]: (job: Job) => void seen.push(job) }, { concurrency: 4 });
      const ids = Array.from({ length: 100 }, (_, n) => `job ${n}`);
      await store.client.enqueueMany(
        ids.map((id) => ({ kind: KIND, id, payload: { text: 'old' }, priority: 1 })),
      );
      const updates = await Promise.allSettled(
        ids.map((id) => store.client.update(id, { payload: { text: 'new' }, priority: 2 })),
      );
      for (const id of ids) await store.ended(id);
      expect(seen).toHaveLength(ids.length);
      for (const [n, id] of ids.entries()) {
        const { payload, priority } = seen.find((job) => job.id === id)!;
        const isNew = updates[n]!.status === 'fulfilled';
        expect({ payload, priority }).toEqual({
          payload: { text: isNew ? 'new' : 'old' },
          priority: isNew ? 2 : 1,
        });
      }
    });
  });

  describe('5. Each of these calls', () => {
    it('rejects with what it does not take, and changes nothing', async () => {
      await store.client.enqueue(KIND, { n: 1 }, { id: 'job' });
      const { client } = store;
      const calls: ((options: never) => Promise<unknown>)[] = [
        (options) => client.cancel('job', options),
        (options) => client.retry('job', options),
        (options) => client.update('job', { priority: 1 }, options),
        (options) => client.runNow('job', options),
        (options) => client.clone('job', {}, options),
        (options) => client.delete('job', options),
        (options) => client.waitFor('job', options),
        (options) => client.waitForResult('job', options),
      ];
      for (const call of calls)
        for (const options of [{ nonsense: 1 }, null, 'now']) {
          const answer: unknown = await call(options as never).catch((error: unknown) => error);
          expect(answer).toBeInstanceOf(InvalidJobError);
        }
      for (const call of calls.slice(0, 6))
        await expect(
          call({ outside: true, manager: store.dataSource.manager } as never),
        ).rejects.toBeInstanceOf(InvalidJobError);
      expect(await store.job('job')).toMatchObject({ state: 'ready', priority: 0, payload: { n: 1 } });
    });
  });

  describe('5. Clone', () => {
    it('enqueues a job like one that has ended', async () => {
      const settings = { priority: 3, maxAttempts: 4, tags: ['a'] };
      await store.client.enqueue(KIND, { n: 1 }, { id: 'job', ...settings });
      await store.queue.dequeue([KIND], () => 'ran');
      const copy = await store.client.clone('job');
      expect(copy).toMatchObject({
        kind: KIND,
        payload: { n: 1 },
        ...settings,
        state: 'ready',
        attemptsDone: 0,
      });
      expect(copy.id).not.toBe('job');
      const other = await store.client.clone('job', { payload: { n: 2 }, id: 'other', delayMs: HOUR });
      expect(other).toMatchObject({ id: 'other', payload: { n: 2 }, state: 'scheduled' });
      expect(await store.job('job')).toMatchObject({ status: 'DONE' });
    });

    it('is refused where there is no such job', async () => {
      await expect(store.client.clone('none')).rejects.toBeInstanceOf(InvalidJobError);
    });
  });

  describe('5. Delete', () => {
    it('deletes a job that waits or has ended, and answers whether there was one', async () => {
      await ended('FAILED');
      await store.client.enqueue(KIND, null, { id: 'waiting' });
      for (const id of ['job', 'waiting']) {
        expect(await store.client.delete(id)).toBe(true);
        expect(await store.client.get(id)).toBeNull();
        expect(await store.client.delete(id)).toBe(false);
      }
      expect(await store.queue.claim([KIND], 10, LONG)).toEqual([]);
    });

    it('leaves a job alone that runs, unless it is forced; its outcome is then refused', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const [job] = await store.queue.claim([KIND], 1, LONG);
      const error: unknown = await store.client.delete('job').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(JobRunningError);
      expect(error).toMatchObject({ jobId: 'job' });
      expect(await store.job('job')).toMatchObject({ state: 'running' });
      expect(await store.client.delete('job', { force: true })).toBe(true);
      const outcome = { type: 'done', result: { json: null, bytes: null } } as const;
      expect(await store.queue.settle([{ ...job!, outcome }])).toEqual(['lost']);
      expect(await store.client.get('job')).toBeNull();
    });

    it('joins a transaction', async () => {
      const { id } = await store.client.enqueue(KIND);
      const undone = store.client.transaction(async () => {
        expect(await store.client.delete(id)).toBe(true);
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect(await store.job(id)).toMatchObject({ state: 'ready' });
    });
  });

  describe('5. Cancel against settle', () => {
    it('leaves each job with one end, and says which', async () => {
      const ids = Array.from({ length: 300 }, (_, n) => `job ${n}`);
      await store.work(
        {
          [KIND]: async (_job, { signal }) => {
            await new Promise((resolve) => setImmediate(resolve));
            if (signal.aborted) throw new RetryableError('stopped');
            return 'done';
          },
        },
        { concurrency: 10 },
      );
      await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
      const answers = await Promise.all(ids.map((id) => store.client.cancel(id)));
      for (const [n, id] of ids.entries()) {
        const { status, attemptsDone } = await store.ended(id);
        if (answers[n] === 'cancelled') expect([status, attemptsDone]).toEqual(['CANCELLED', 0]);
        else if (answers[n] === null) expect(status).toBe('DONE');
        else expect(['DONE', 'CANCELLED']).toContain(status);
      }
    });
  });
}

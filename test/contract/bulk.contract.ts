import { describe, expect, it } from '@jest/globals';
import { InvalidJobError } from '../../lib/job/errors.js';
import { KIND, LONG, SqlStore, withMethods, type Store } from '../support/store.js';
import { until } from '../support/until.js';

const HOUR = 3_600_000;
const NONE = { changed: 0, conflicts: 0 };

/** All jobs that fit a filter are cancelled, retried or deleted. */
export function bulkContract(store: Store): void {
  /** Jobs that have failed, and as many that wait. */
  const failedAndWaiting = async (count: number) => {
    const ids = Array.from({ length: count }, (_, n) => String(n).padStart(4, '0'));
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id: `failed ${id}`, tags: ['t'] })));
    const jobs = await store.queue.claim([KIND], count, LONG);
    const outcome = { type: 'failed', lastError: 'Error: no' } as const;
    await store.queue.settle(jobs.map((job) => ({ ...job, outcome })));
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id: `waiting ${id}` })));
  };
  const count = async (states: readonly ('failed' | 'ready' | 'cancelled' | 'retrying' | 'stopping')[]) =>
    (await store.client.count({ states })).value;

  describe('5. Cancel, retry and delete of many jobs', () => {
    it('changes all that fit, in several batches, and leaves the others', async () => {
      await failedAndWaiting(600);
      expect(await store.client.cancelMany({ kinds: ['other'] })).toEqual({ matched: 0, ...NONE });
      expect(await store.client.cancelMany({ kinds: [KIND] }, { dryRun: true })).toEqual({
        matched: 600,
        ...NONE,
      });
      expect(await count(['ready'])).toBe(600);
      const cancelled = await store.client.cancelMany({ kinds: [KIND] }, { reason: 'enough' });
      expect(cancelled).toEqual({ matched: 600, changed: 600, conflicts: 0 });
      expect(await store.job('waiting 0599')).toMatchObject({ state: 'cancelled', cancelReason: 'enough' });
      expect(await store.client.retryMany({ states: ['failed'] })).toEqual({
        matched: 600,
        changed: 600,
        conflicts: 0,
      });
      expect([await count(['ready']), await count(['cancelled'])]).toEqual([600, 600]);
      expect(await store.job('failed 0000')).toMatchObject({
        state: 'ready',
        attemptsDone: 1,
        attemptsBefore: 1,
        tags: ['t'],
      });
      expect(await store.client.deleteMany({ tags: ['t'] })).toEqual({
        matched: 600,
        changed: 600,
        conflicts: 0,
      });
      expect(await store.client.count({ tags: ['t'] })).toEqual({ value: 0, capped: false });
      expect(await store.client.deleteMany({ all: true })).toMatchObject({ changed: 600 });
      expect(await store.client.count()).toEqual({ value: 0, capped: false });
    }, 60_000);

    it('runs jobs again that it has retried, and tells workers of them', async () => {
      await failedAndWaiting(3);
      await store.client.cancelMany({ states: ['ready'] });
      await store.work({ [KIND]: () => 'ran' }, { pollIntervalMs: 60_000 });
      await store.client.retryMany({ all: true });
      for (const id of ['failed 0000', 'failed 0002', 'waiting 0001'])
        expect(await store.ended(id)).toMatchObject({ status: 'DONE', result: 'ran' });
    });

    it('spreads the starts of retried jobs evenly over a time', async () => {
      await failedAndWaiting(40);
      const before = await store.queue.reads.now();
      await store.client.retryMany({ states: ['failed'] }, { spreadMs: HOUR });
      const { jobs } = await store.client.find({ tags: ['t'] });
      const delays = jobs.map(({ runAt }) => runAt.getTime() - before).toSorted((one, other) => one - other);
      expect(delays[0]).toBeLessThan(HOUR / 10);
      for (let n = 1; n < delays.length; n++) expect(delays[n]! - delays[n - 1]!).toBeLessThan(HOUR / 10);
      expect(delays.at(-1)).toBeGreaterThan(HOUR * 0.9);
      expect(await count(['retrying'])).toBeGreaterThan(35);
    });

    it('asks jobs that run to stop, and does not delete them', async () => {
      for (const id of ['a', 'b']) await store.client.enqueue(KIND, 1, { id });
      await store.queue.claim([KIND], 1, LONG);
      expect(await store.client.deleteMany({ all: true })).toEqual({ matched: 1, changed: 1, conflicts: 0 });
      expect(await store.client.deleteMany({ states: ['running'] })).toEqual({ matched: 0, ...NONE });
      expect(await store.client.cancelMany({ ids: ['a', 'b'] })).toEqual({
        matched: 1,
        changed: 1,
        conflicts: 0,
      });
      expect(await count(['stopping'])).toBe(1);
      expect(await store.client.cancelMany({ all: true })).toEqual({ matched: 0, ...NONE });
    });

    it('counts retried jobs whose unique key another job has by now', async () => {
      const unique = { key: 'k', while: 'unsettled' } as const;
      await store.client.enqueue(KIND, 1, { id: 'a', unique });
      await store.client.cancel('a');
      await store.client.enqueue(KIND, 1, { id: 'b', unique: { key: 'free', while: 'unsettled' } });
      await store.client.cancel('b');
      await store.client.enqueue(KIND, 1, { id: 'c' });
      await store.client.cancel('c');
      await store.client.enqueue(KIND, 1, { id: 'holder', unique });
      expect(await store.client.retryMany({ kinds: [KIND] })).toEqual({
        matched: 3,
        changed: 2,
        conflicts: 1,
      });
      expect(await store.job('a')).toMatchObject({ state: 'cancelled' });
      expect(await store.client.enqueue(KIND, 1, { unique: { key: 'free' } })).toMatchObject({ id: 'b' });
    });

    it('deletes no job that is not any more as the filter says', async () => {
      await failedAndWaiting(1);
      const { edits } = store.queue;
      await store.client.retry('failed 0000');
      expect(await edits.deleteAll(['failed 0000'], ['FAILED', 'DONE'])).toBe(0);
      expect(await edits.retryAll([{ id: 'waiting 0000', runAtMs: null, delayMs: 0 }])).toEqual({
        retried: 0,
        conflicts: 0,
      });
      expect(await edits.deleteAll(['failed 0000', 'waiting 0000'], ['PENDING'])).toBe(2);
    });

    it('retries each job once where two calls meet', async () => {
      await failedAndWaiting(50);
      const { jobs } = await store.client.find({ tags: ['t'] }, { order: 'oldest' });
      const retries = jobs.map(({ id }) => ({ id, runAtMs: null, delayMs: 0 }));
      const answers = await Promise.all([1, 2, 3].map(() => store.queue.edits.retryAll(retries)));
      expect(answers.reduce((sum, { retried }) => sum + retried, 0)).toBe(50);
    });

    it('leaves jobs alone that were made after the call', async () => {
      const { reads } = store.queue;
      const calledAt = await reads.now();
      await until(async () => (await reads.now()) > calledAt + 1);
      await store.client.enqueue(KIND, 1, { id: 'new' });
      const asOfThen = Object.assign(Object.create(reads) as typeof reads, {
        now: () => Promise.resolve(calledAt),
      });
      const client = store.clientOf(withMethods(store.queue, { reads: asOfThen }));
      expect(await client.cancelMany({ kinds: [KIND] })).toEqual({ matched: 0, ...NONE });
      expect(await store.client.cancelMany({ kinds: [KIND] })).toMatchObject({ changed: 1 });
    });

    it('joins a transaction, and is undone with it', async () => {
      await failedAndWaiting(3);
      const all = async () => {
        expect(await store.client.cancelMany({ states: ['ready'] })).toMatchObject({ changed: 3 });
        expect(await store.client.retryMany({ states: ['failed'] })).toMatchObject({ changed: 3 });
        expect(await store.client.deleteMany({ ids: ['waiting 0000'] })).toMatchObject({ changed: 1 });
      };
      const undone = store.client.transaction(async () => {
        await all();
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect([await count(['ready']), await count(['failed'])]).toEqual([3, 3]);
      await store.client.transaction(all);
      expect([await count(['ready']), await count(['cancelled'])]).toEqual([3, 2]);
    });

    it('takes at most 10,000 jobs in a transaction, and changes nothing where there are more', async () => {
      const ids = Array.from({ length: 10_001 }, (_, n) => String(n));
      await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
      const cancelling = store.client.transaction(() => store.client.cancelMany({ kinds: [KIND] }));
      await expect(cancelling).rejects.toMatchObject({ path: 'filter' });
      expect(await store.client.count({ states: ['ready'] }, { cap: 20_000 })).toEqual({
        value: 10_001,
        capped: false,
      });
    }, 60_000);

    it('ends with the signal between two batches, and keeps what is done', async () => {
      await failedAndWaiting(1_000);
      const controller = new AbortController();
      const { edits } = store.queue;
      const cancel = edits.cancel.bind(edits);
      edits.cancel = async (...args) => {
        controller.abort(new Error('that will do'));
        return cancel(...args);
      };
      try {
        const { signal } = controller;
        await expect(store.client.cancelMany({ kinds: [KIND] }, { signal })).rejects.toThrow('that will do');
      } finally {
        edits.cancel = cancel;
      }
      expect([await count(['ready']), await count(['cancelled'])]).toEqual([500, 500]);
    }, 60_000);

    it('is refused without conditions, and with what it does not take', async () => {
      await store.client.enqueue(KIND, 1, { id: 'job' });
      const { client } = store;
      for (const call of ['cancelMany', 'retryMany', 'deleteMany'] as const) {
        for (const filter of [
          {},
          { kinds: undefined },
          null,
          undefined,
          { all: false },
          { all: true, kinds: [KIND] },
          { kind: 'a' },
        ])
          await expect(client[call](filter as never)).rejects.toBeInstanceOf(InvalidJobError);
        for (const options of [
          { nonsense: 1 },
          { dryRun: 'yes' },
          { signal: 1 },
          null,
          { outside: true, manager: store.dataSource.manager },
        ])
          await expect(client[call]({ all: true }, options as never)).rejects.toBeInstanceOf(InvalidJobError);
      }
      await expect(client.cancelMany({})).rejects.toThrow('give at least one condition, or { all: true }');
      await expect(client.retryMany({ all: true }, { spreadMs: -1 })).rejects.toMatchObject({
        path: 'spreadMs',
      });
      await expect(client.cancelMany({ all: true }, { reason: 'a\0' })).rejects.toMatchObject({
        path: 'reason',
      });
      expect(await store.job('job')).toMatchObject({ state: 'ready' });
    });

    if (store instanceof SqlStore)
      it('passes over a job whose settings something else has written, and retries the others', async () => {
        await failedAndWaiting(3);
        await store.sql('UPDATE nest_jobs SET settings = NULL');
        if (!store.isPostgres)
          await store.sql("UPDATE nest_jobs SET settings = '{' WHERE id = 'failed 0001'");
        const changed = store.isPostgres ? 3 : 2; // PostgreSQL takes no such text
        const retried = await store.queue.edits.retryAll(
          [0, 1, 2].map((n) => ({ id: `failed 000${n}`, runAtMs: null, delayMs: 0 })),
        );
        expect(retried).toEqual({ retried: changed, conflicts: 0 });
      });
  });
}

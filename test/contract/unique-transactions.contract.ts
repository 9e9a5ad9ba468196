import { describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { deferred } from '../../lib/async/deferred.js';
import { endsWithin } from '../../lib/async/timers.js';
import { encodeDocument } from '../../lib/job/document.js';
import type { Job, JobSettings } from '../../lib/job/job.js';
import type { UniqueWhile } from '../../lib/job/unique.js';
import { KIND, LONG, SqlStore, type Store } from '../support/store.js';
import { until } from '../support/until.js';

type Level = 'READ COMMITTED' | 'REPEATABLE READ';

/** Unique keys, and ids that are joined, within the transactions of callers. */
export function uniqueTransactionsContract(store: Store): void {
  const isSqlite = store instanceof SqlStore && store.isSqlite;
  const levels: readonly (Level | undefined)[] = isSqlite
    ? [undefined]
    : ['READ COMMITTED', 'REPEATABLE READ'];
  const enqueue = (payload: unknown, settings: JobSettings & { manager?: EntityManager }) =>
    store.client.enqueue(KIND, payload, settings);
  const key = (held: UniqueWhile = 'waiting') => ({ unique: { key: 'a', while: held } });
  const replacing = { unique: { key: 'a', onConflict: 'replace' } } as const;
  const rejecting = { unique: { key: 'a', onConflict: 'reject' } } as const;
  const claimable = async () => (await store.queue.claim([KIND], 99, LONG)).map(({ id }) => id);
  const begin = (level: Level | undefined, work: (manager: EntityManager) => Promise<void>) =>
    level === undefined ? store.dataSource.transaction(work) : store.dataSource.transaction(level, work);

  /** A transaction that stays open after its work, until the test ends it. */
  const open = async (level: Level | undefined, work: (manager: EntityManager) => Promise<unknown>) => {
    const [begun, end] = [deferred(), deferred()];
    const over = begin(level, async (manager) => {
      await work(manager);
      begun.resolve();
      await end.promise;
    });
    await Promise.race([begun.promise, over]);
    const settled = over.then(
      () => 'committed',
      () => 'rolled back',
    );
    return {
      commit: () => (end.resolve(), settled),
      rollBack: () => (end.reject(new Error('rolled back')), settled),
    };
  };
  const isPending = async (promise: Promise<unknown>) => !(await endsWithin(promise, 100));

  describe.each(levels)('Unique jobs in a transaction, at %s', (level) => {
    it('are written with its commit, and known to it before', async () => {
      let made: Job | undefined;
      await begin(level, async (manager) => {
        made = await enqueue('first', { ...key(), manager });
        expect(made).toMatchObject({ enqueued: 'created' });
        const joined = await enqueue('second', { ...key(), manager });
        expect(joined).toMatchObject({ enqueued: 'joined', id: made.id, payload: 'first' });
        const replaced = await enqueue('third', { ...replacing, manager });
        expect(replaced).toMatchObject({ enqueued: 'replaced', id: made.id, payload: 'third' });
        expect(await store.client.get(made.id)).toBeNull();
      });
      expect(await store.claimOne()).toMatchObject({ id: made!.id, payload: 'third' });
    });

    it('vanish with its rollback, and their keys are free', async () => {
      const failing = begin(level, async (manager) => {
        await enqueue('first', { ...key('unsettled'), manager });
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      expect(await enqueue('second', key())).toMatchObject({ enqueued: 'created', payload: 'second' });
    });

    it('are written by the transaction that the client has opened', async () => {
      const failing = store.client.transaction(async () => {
        const made = await enqueue('first', key());
        expect(await enqueue('second', key())).toMatchObject({ id: made.id, enqueued: 'joined' });
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      expect(await enqueue('third', key())).toMatchObject({ enqueued: 'created' });
    });

    it('vanish with the rollback of a savepoint, and their keys are free', async () => {
      await begin(level, async (manager) => {
        const nested = manager.transaction(async (inner) => {
          await enqueue('first', { ...key(), manager: inner });
          throw new Error('back');
        });
        await expect(nested).rejects.toThrow('back');
        expect(await enqueue('second', { ...key(), manager })).toMatchObject({ enqueued: 'created' });
      });
      expect(await store.claimOne()).toMatchObject({ payload: 'second' });
    });

    it('are left as they were where what replaces them is rolled back', async () => {
      const first = await enqueue('first', { ...key(), priority: 3 });
      const transaction = await open(level, (manager) => enqueue('second', { ...replacing, manager }));
      expect(await store.client.get(first.id)).toMatchObject({ payload: 'first', priority: 3 });
      expect(await transaction.rollBack()).toBe('rolled back');
      expect(await store.claimOne()).toMatchObject({ id: first.id, payload: 'first', priority: 3 });
    });

    it('do not undo it with a conflict, whatever becomes of that', async () => {
      const first = await enqueue('first', { id: 'first', ...key() });
      await begin(level, async (manager) => {
        const refused = enqueue('x', { ...rejecting, manager });
        await expect(refused).rejects.toMatchObject({ name: 'DuplicateJobError', id: first.id, key: 'a' });
        expect(await enqueue('y', { ...key(), manager })).toMatchObject({ enqueued: 'joined' });
        const joined = await enqueue('z', { id: 'first', ifExists: 'join', manager });
        expect(joined).toMatchObject({ enqueued: 'joined', payload: 'first' });
        await store.client.enqueue(KIND, 'other', { id: 'other', manager });
      });
      expect((await claimable()).toSorted()).toEqual(['first', 'other']);
    });

    it('are joined by its commit, so a job that waits does not begin before', async () => {
      const { id } = await enqueue('first', key());
      for (const end of ['rollBack', 'commit'] as const) {
        const transaction = await open(level, async (manager) => {
          expect(await enqueue('second', { ...key(), manager })).toMatchObject({ enqueued: 'joined', id });
        });
        if (!isSqlite) expect(await claimable()).toEqual([]);
        await transaction[end]();
        const [job] = await store.queue.claim([KIND], 9, LONG);
        expect(job).toMatchObject({ id });
        await store.queue.release([job!]);
      }
    });

    it('wake the workers that could not take them meanwhile', async () => {
      await enqueue('first', { ...key(), id: 'waits' });
      for (const end of ['commit', 'rollBack'] as const) {
        const transaction = await open(level, (manager) => enqueue('second', { ...key(), manager }));
        const heard: (string | null)[] = [];
        const unwatch = store.queue.watch((kinds) => void heard.push(...(kinds ?? [null])));
        if (store.tellsWhenItListens) await until(() => heard.includes(null));
        heard.length = 0;
        await transaction[end]();
        await until(() => heard.includes(KIND), { what: 'the wake-up' });
        unwatch();
      }
    });

    if (isSqlite) return; // it has one writer: others wait for any transaction

    it('may be enqueued by a transactional handler, and are committed with its outcome', async () => {
      const waiting = await enqueue('first', key());
      await store.client.enqueue('work', null, { id: 'work' });
      const run = async (_job: Job, { manager }: { manager: EntityManager }) => {
        const joined = await enqueue('second', { ...key(), manager });
        const made = await enqueue('third', { unique: { key: 'b' }, manager });
        return [joined.id, joined.enqueued, made.enqueued];
      };
      await store.work({ work: { run, options: { transactional: true } } });
      const { result } = await store.ended('work');
      expect(result).toEqual([waiting.id, 'joined', 'created']);
      expect(await claimable()).toHaveLength(2);
    });

    it('make others wait for its end, and are joined if it commits', async () => {
      const transaction = await open(level, (manager) => enqueue('first', { ...key(), manager }));
      const others = [enqueue('second', key()), enqueue('third', replacing), enqueue('fourth', rejecting)];
      const settled = Promise.allSettled(others);
      expect(await isPending(Promise.race(others))).toBe(true);
      expect(await transaction.commit()).toBe('committed');
      const outcomes = (await settled).map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value.enqueued : (outcome.reason as Error).name,
      );
      expect(outcomes).toEqual(['joined', 'replaced', 'DuplicateJobError']);
      expect(await claimable()).toHaveLength(1);
    });

    it('make others wait for its end, and one of them is made if it rolls back', async () => {
      const transaction = await open(level, (manager) => enqueue('first', { ...key(), manager }));
      const others = ['second', 'third'].map((payload) => enqueue(payload, key()));
      expect(await isPending(Promise.race(others))).toBe(true);
      expect(await transaction.rollBack()).toBe('rolled back');
      const made = await Promise.all(others);
      expect(made.map(({ enqueued }) => enqueued).toSorted()).toEqual(['created', 'joined']);
      expect(await claimable()).toEqual([made[0]!.id]);
    });

    it('do not hold up those of other keys and kinds', async () => {
      const transaction = await open(level, (manager) => enqueue('first', { ...key(), manager }));
      expect(await enqueue('x', { unique: { key: 'b' } })).toMatchObject({ enqueued: 'created' });
      expect(await store.client.enqueue('other', 'x', key())).toMatchObject({ enqueued: 'created' });
      expect(await enqueue('x', {})).toMatchObject({ enqueued: 'created' });
      await transaction.commit();
    });

    it('do not lock a job that runs: its heartbeat and its outcome are written', async () => {
      await enqueue('first', key('unsettled'));
      const job = await store.claimOne();
      const transaction = await open(level, async (manager) => {
        const joined = await enqueue('second', { ...key('unsettled'), manager });
        expect(joined).toMatchObject({ id: job.id, enqueued: 'joined', state: 'running' });
      });
      expect(await store.queue.renew([{ ...job, alone: false }], 60_000)).toEqual(['written']);
      const outcome = { type: 'done', result: encodeDocument(1, 'result', 100) } as const;
      expect(await store.queue.settle([{ ...job, outcome }])).toEqual(['written']);
      await transaction.commit();
    });

    it('do not hold up other jobs where the one that had the key is gone', async () => {
      await enqueue('first', key());
      const job = await store.claimOne();
      const outcome = { type: 'done', result: encodeDocument(1, 'result', 100) } as const;
      await store.queue.settle([{ ...job, outcome, deletes: true }]);
      // As if it had had the last id of the table: a gap that is locked there would stop each insert.
      if (store instanceof SqlStore) await store.sql(`UPDATE nest_jobs_keys SET job_id = 'zzz'`);
      const transaction = await open(level, (manager) => enqueue('second', { ...key(), manager }));
      const others = store.client.enqueueMany([{ kind: KIND }, { kind: KIND, unique: { key: 'b' } }]);
      expect(await endsWithin(others, 5_000)).toBe(true);
      await transaction.commit();
      expect(await claimable()).toHaveLength(3);
    });

    it("wait with 'join' for another that makes the id, and make it if that rolls back", async () => {
      for (const [end, enqueued] of [
        ['rollBack', 'created'],
        ['commit', 'joined'],
      ] as const) {
        const join = { id: end, ifExists: 'join' } as const;
        const transaction = await open(level, (manager) => enqueue('first', { ...join, manager }));
        const second = enqueue('second', join);
        expect(await isPending(second)).toBe(true);
        await transaction[end]();
        expect(await second).toMatchObject({ id: end, enqueued });
      }
    });
  });

  describe('Many enqueues of one key at the same time', () => {
    it('make one job', async () => {
      const made = await Promise.all(Array.from({ length: 100 }, (_, n) => enqueue(n, key('unsettled'))));
      expect(made.filter(({ enqueued }) => enqueued === 'created')).toHaveLength(1);
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
      expect(await claimable()).toEqual([made[0]!.id]);
    });

    it('make one job of an id that they join', async () => {
      const join = { id: 'one', ifExists: 'join' } as const;
      const made = await Promise.all(Array.from({ length: 100 }, (_, n) => enqueue(n, join)));
      expect(made.filter(({ enqueued }) => enqueued === 'created')).toHaveLength(1);
      expect(await claimable()).toEqual(['one']);
    });

    it('do not end in a deadlock, in whatever order a list has its keys', async () => {
      const names = Array.from({ length: 20 }, (_, n) => `key ${n}`);
      const list = (order: readonly string[]) =>
        store.client.enqueueMany(
          order.map((name) => ({ kind: KIND, unique: { key: name, onConflict: 'replace' as const } })),
        );
      const lists = Array.from({ length: 40 }, (_, n) => list(n % 2 === 0 ? names : names.toReversed()));
      const made = (await Promise.all(lists)).flat();
      expect(new Set(made.map(({ id }) => id)).size).toBe(20);
    });

    if (!isSqlite)
      it('do not undo the transactions that they are in, at READ COMMITTED', async () => {
        const racers = Array.from({ length: 60 }, async (_, n) => {
          let job: Job | undefined;
          await begin('READ COMMITTED', async (manager) => {
            job = await enqueue(n, { ...key('unsettled'), manager });
          });
          return job!.id;
        });
        expect(new Set(await Promise.all(racers)).size).toBe(1);
        expect(await claimable()).toHaveLength(1);
      });
  });

  if (!(store instanceof SqlStore) || !store.isPostgres) return;

  it('At REPEATABLE READ a key that another has taken since the snapshot is a serialization failure', async () => {
    const racing = begin('REPEATABLE READ', async (manager) => {
      await manager.query('SELECT 1 FROM nest_jobs LIMIT 1');
      await enqueue('first', key());
      await enqueue('second', { ...key(), manager });
    });
    await expect(racing).rejects.toMatchObject({ code: '40001' });
  });
}

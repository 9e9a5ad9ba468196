import { AsyncResource } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { encodeDocument } from '../../lib/job/document.js';
import { ForeignTransactionError } from '../../lib/job/storage-errors.js';
import { endsWithin } from '../../lib/async/timers.js';
import { until } from '../support/until.js';
import { KIND, LONG, SqlStore, type Store } from '../support/store.js';

/** "With a manager the jobs belong to its transaction", and what watchers hear. */
export function transactionContract(store: Store): void {
  /** SQLite has one writer. Writes outside an open transaction wait for its end; see sqlite.spec.ts. */
  const whereOthersWrite = store.hasManyWriters ? it : it.skip;
  const enqueue = (id: string, manager?: EntityManager, kind = KIND) =>
    store.client.enqueue(kind, null, { id, ...(manager && { manager }) });
  const claimable = async () => (await store.queue.claim([KIND], 9, LONG)).map(({ id }) => id);
  const listen = async () => {
    const heard: string[][] = [];
    const unwatch = store.queue.watch((kinds) => void heard.push([...(kinds ?? ['all'])]));
    if (store.tellsWhenItListens) await until(() => heard.length > 0, { what: 'the channel is up' });
    heard.length = 0;
    return { heard, unwatch };
  };

  describe('2. enqueue with the manager of a transaction', () => {
    it('is invisible until the commit, and visible after it', async () => {
      await store.dataSource.transaction(async (manager) => {
        const job = await enqueue('inside', manager);
        expect(job).toMatchObject({ id: 'inside', status: 'PENDING' });
        expect(await store.client.get('inside')).toBeNull();
        expect(await claimable()).toEqual([]);
      });
      expect(await claimable()).toEqual(['inside']);
    });

    whereOthersWrite('holds up no other job, however long the transaction is open', async () => {
      await store.dataSource.transaction(async (manager) => {
        await enqueue('inside', manager);
        const others = async () => {
          for (const id of ['a', 'b', 'c']) await enqueue(id);
          const [a, b, c] = await store.queue.claim([KIND], 9, LONG);
          await store.queue.renew([{ ...a!, alone: false }], LONG.leaseMs);
          await store.queue.release([b!]);
          const retry = { type: 'retry', delayMs: 0, lastError: 'once more' } as const;
          const done = { type: 'done', result: encodeDocument(1, 'result', 100) } as const;
          return store.queue.settle([
            { ...a!, outcome: done },
            { ...c!, outcome: retry },
          ]);
        };
        const working = others();
        expect(await endsWithin(working, 5_000)).toBe(true);
        expect(await working).toEqual(['written', 'written']);
        expect(await claimable()).toEqual(['b', 'c']);
      });
    });

    it('is refused where the same transaction has enqueued the id before, and all of it rolls back', async () => {
      const twice = store.dataSource.transaction(async (manager) => {
        await enqueue('other', manager);
        await enqueue('twice', manager);
        await enqueue('twice', manager);
      });
      await expect(twice).rejects.toMatchObject({ name: 'DuplicateJobError', id: 'twice' });
      expect(await claimable()).toEqual([]);
    });

    it('may take an id again that a rollback of a savepoint has freed', async () => {
      await store.dataSource.transaction(async (manager) => {
        const savepoint = manager.transaction(async (inner) => {
          await enqueue('again', inner);
          throw new Error('rolled back');
        });
        await expect(savepoint).rejects.toThrow('rolled back');
        await enqueue('again', manager);
      });
      expect(await claimable()).toEqual(['again']);
    });

    it('vanishes with a rollback, and wakes no watcher', async () => {
      const { heard, unwatch } = await listen();
      const fault = new Error('rolled back');
      const failing = store.dataSource.transaction(async (manager) => {
        await enqueue('inside', manager);
        throw fault;
      });
      await expect(failing).rejects.toBe(fault);
      expect(await store.client.get('inside')).toBeNull();
      expect(heard).toEqual([]);
      unwatch();
    });

    it('vanishes if only its savepoint is rolled back', async () => {
      await store.dataSource.transaction(async (manager) => {
        await enqueue('outer', manager);
        const nested = manager.transaction(async (inner) => {
          await enqueue('inner', inner);
          throw new Error('back to the savepoint');
        });
        await expect(nested).rejects.toThrow('back to the savepoint');
        await manager.transaction((inner) => enqueue('second', inner));
      });
      expect(await claimable()).toEqual(['outer', 'second']);
    });

    it('vanishes with the outer rollback, even if its savepoint was released', async () => {
      const failing = store.dataSource.transaction(async (manager) => {
        await manager.transaction((inner) => enqueue('inner', inner));
        throw new Error('all of it');
      });
      await expect(failing).rejects.toThrow('all of it');
      expect(await claimable()).toEqual([]);
    });

    it('wakes the watchers after the outermost commit, not before', async () => {
      const { heard, unwatch } = await listen();
      await store.dataSource.transaction(async (manager) => {
        await manager.transaction((inner) => enqueue('inner', inner));
        await enqueue('outer', manager, 'other');
        expect(heard).toEqual([]);
      });
      expect(heard.flat().toSorted()).toEqual([KIND, 'other']);
      unwatch();
    });

    it('does not wake watchers for jobs that a savepoint rolled back', async () => {
      const { heard, unwatch } = await listen();
      await store.dataSource.transaction(async (manager) => {
        const nested = manager.transaction(async (inner) => {
          await enqueue('inner', inner);
          throw new Error('back');
        });
        await expect(nested).rejects.toThrow('back');
      });
      expect(heard).toEqual([]);
      unwatch();
    });

    it('writes 2,500 jobs with the commit, and none with the rollback', async () => {
      const jobs = Array.from({ length: 2_500 }, (_, n) => ({ kind: KIND, id: `job ${n}`, payload: 'x' }));
      const failing = store.dataSource.transaction(async (manager) => {
        await store.client.enqueueMany(jobs, { manager });
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      expect(await claimable()).toEqual([]);
      await store.dataSource.transaction((manager) => store.client.enqueueMany(jobs, { manager }));
      expect(await store.queue.claim([KIND], 3_000, LONG)).toHaveLength(2_500);
    });

    it('treats a manager that is not in a transaction as none', async () => {
      const runner = store.dataSource.createQueryRunner();
      try {
        await enqueue('plain', store.dataSource.manager);
        await enqueue('own connection', runner.manager);
        expect((await claimable()).toSorted()).toEqual(['own connection', 'plain']);
      } finally {
        await runner.release();
      }
    });

    it('starts the job on a worker as soon as it is committed, without a poll', async () => {
      let started = false;
      await store.work({ [KIND]: () => void (started = true) }, { pollIntervalMs: 60_000 });
      await store.dataSource.transaction(async (manager) => {
        await enqueue('woken', manager);
        expect(started).toBe(false);
      });
      expect((await store.ended('woken')).status).toBe('DONE');
    });
  });

  describe('A transaction of the client', () => {
    it('includes jobs that are enqueued in it without a manager, and wakes watchers after its commit', async () => {
      const { heard, unwatch } = await listen();
      const answer = await store.client.transaction(async () => {
        await enqueue('one');
        await store.client.enqueueMany([{ kind: 'other', id: 'two' }]);
        expect(await store.client.get('one')).toBeNull();
        expect(heard).toEqual([]);
        return 'answer';
      });
      expect(answer).toBe('answer');
      expect(heard.flat().toSorted()).toEqual([KIND, 'other']);
      expect(await claimable()).toEqual(['one']);
      unwatch();
    });

    it('rolls back if its work throws, and rejects with that error', async () => {
      const { heard, unwatch } = await listen();
      const fault = new Error('no');
      const failing = store.client.transaction(async () => {
        await enqueue('one');
        throw fault;
      });
      await expect(failing).rejects.toBe(fault);
      expect(await claimable()).toEqual([]);
      expect(heard).toEqual([]);
      unwatch();
    });

    whereOthersWrite('does not include jobs that are enqueued outside of it', async () => {
      const failing = store.client.transaction(async () => {
        await enqueue('inside');
        await store.client.enqueue(KIND, null, { id: 'outside', outside: true });
        expect(await store.client.get('outside')).not.toBeNull();
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await claimable()).toEqual(['outside']);
    });

    it('is a savepoint within another transaction', async () => {
      await store.client.transaction(async () => {
        await enqueue('outer');
        const nested = store.client.transaction(async () => {
          await enqueue('undone');
          throw new Error('back');
        });
        await expect(nested).rejects.toThrow('back');
        await store.client.transaction(() => enqueue('kept'));
      });
      // Jobs are ordered by id if the database's clock has not advanced between them.
      expect((await claimable()).toSorted()).toEqual(['kept', 'outer']);
    });

    it('is not joined by code that runs at the same time or after it', async () => {
      let later: (() => Promise<unknown>) | undefined;
      const failing = store.client.transaction(async (manager) => {
        expect(store.queue.currentTransaction()?.queryRunner).toBe(manager.queryRunner);
        later = AsyncResource.bind(() => {
          expect(store.queue.currentTransaction()).toBeUndefined();
          return enqueue('later');
        });
        await enqueue('inside');
        const isThere = async () => (await store.client.get('beside')) !== null;
        if (store.hasManyWriters) await until(isThere, { what: 'the enqueue beside it' });
        throw new Error('rolled back');
      });
      expect(store.queue.currentTransaction()).toBeUndefined();
      await enqueue('beside');
      await expect(failing).rejects.toThrow(/^rolled back$/);
      await later!();
      expect(await claimable()).toEqual(['beside', 'later']);
    });

    whereOthersWrite('is not joined by the handlers of a worker in the same process', async () => {
      const seen: unknown[] = [];
      await store.work(
        { [KIND]: () => void seen.push(store.queue.currentTransaction()) },
        { pollIntervalMs: 60_000 },
      );
      await store.client.transaction(async () => {
        await enqueue('inside');
        await store.client.enqueue(KIND, null, { id: 'outside', outside: true });
        await store.ended('outside');
      });
      await store.ended('inside');
      expect(seen).toEqual([undefined, undefined]);
    });

    it('accepts either a manager or outside, but not both', async () => {
      const both = store.client.transaction((manager) =>
        store.client.enqueue(KIND, null, { manager, outside: true }),
      );
      await expect(both).rejects.toMatchObject({ name: 'InvalidJobError', path: 'outside' });
    });
  });

  describe('Watchers of a queue', () => {
    it('hear of the kinds of an enqueue once it is committed, until they stop watching', async () => {
      const { heard, unwatch } = await listen();
      await store.client.enqueueMany([{ kind: KIND }, { kind: 'other' }, { kind: KIND }]);
      expect(heard.map((kinds) => kinds.toSorted())).toEqual([[KIND, 'other']]);
      unwatch();
      await enqueue('unheard');
      expect(heard).toHaveLength(1);
    });

    it('hear nothing of an enqueue that was refused', async () => {
      await enqueue('taken');
      const { heard, unwatch } = await listen();
      await expect(enqueue('taken')).rejects.toThrow('exists already');
      expect(heard).toEqual([]);
      unwatch();
    });
  });

  if (!(store instanceof SqlStore)) return;

  describe('2. A transaction in the database of the jobs', () => {
    const ids = (count: number) => Array.from({ length: count }, (_, n) => ({ kind: KIND, id: `job ${n}` }));

    it('is refused if the manager belongs to another DataSource', async () => {
      const other = await store.database.connect();
      try {
        const refusal = other.transaction((manager) => enqueue('stray', manager));
        await expect(refusal).rejects.toBeInstanceOf(ForeignTransactionError);
        await expect(refusal).rejects.toThrow(/another DataSource/);
      } finally {
        await other.destroy();
      }
      expect(await claimable()).toEqual([]);
    });

    it("commits the user's rows and the jobs, or neither", async () => {
      await store.sql('CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY)');
      const order = async (id: number, manager: EntityManager, fails: boolean) => {
        await manager.query(`INSERT INTO orders (id) VALUES (${id})`);
        await enqueue(`order ${id}`, manager);
        if (fails) throw new Error('no');
      };
      await store.dataSource.transaction((manager) => order(1, manager, false));
      await expect(store.dataSource.transaction((manager) => order(2, manager, true))).rejects.toThrow('no');
      expect(await store.sql('SELECT id FROM orders')).toEqual([{ id: 1 }]);
      expect(await claimable()).toEqual(['order 1']);
    });

    it('keeps no part of a list that fails at its end, even if the transaction is committed', async () => {
      await enqueue('taken');
      const jobs = [...ids(2_500), { kind: KIND, id: 'taken' }];
      const committing = store.dataSource.transaction(async (manager) => {
        const refusal = store.client.enqueueMany(jobs, { manager });
        await expect(refusal).rejects.toMatchObject({ name: 'DuplicateJobError', id: 'taken' });
      });
      await committing.catch(() => undefined); // PostgreSQL may refuse to commit a failed transaction
      expect(await claimable()).toEqual(['taken']);
    });

    if (!store.isPostgres) {
      it('continues after a refused list, on a database that allows it', async () => {
        await enqueue('taken', undefined, 'other');
        await store.dataSource.transaction(async (manager) => {
          await enqueue('before', manager);
          const refusal = store.client.enqueueMany([...ids(1_500), { kind: KIND, id: 'taken' }], { manager });
          await expect(refusal).rejects.toMatchObject({ name: 'DuplicateJobError' });
          await enqueue('x after', manager);
        });
        expect((await claimable()).toSorted()).toEqual(['before', 'x after']);
      });
    }
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { DatabaseTimeoutError } from '../../lib/job/storage-errors.js';
import type { Outcome } from '../../lib/job/outcome.js';
import { UnreadableDocumentError } from '../../lib/job/unreadable-document-error.js';
import { until } from '../support/until.js';
import { KIND, LONG, type SqlStore } from '../support/store.js';

const DONE: Outcome = { type: 'done', result: { json: '1', bytes: null } };

/** What can happen to rows in a real database: locks of other sessions, and statements that fail. */
export function storageContract(store: SqlStore): void {
  const claimed = async (...ids: string[]) => {
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
    return store.queue.claim([KIND], ids.length, LONG);
  };
  /** Calls `work` while another transaction holds the lock of a job's row. */
  const whileLocked = (id: string, work: () => Promise<void>) =>
    store.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT id FROM nest_jobs WHERE id = '${id}' FOR UPDATE`);
      await work();
    });
  const breakRow = async (id: string) => {
    if (store.isSqlite) {
      return store.sql(
        `CREATE TRIGGER broken BEFORE UPDATE ON nest_jobs WHEN OLD.id = '${id}' AND NEW.status = 'DONE'
         BEGIN SELECT RAISE(ABORT, 'this row is broken'); END`,
      );
    }
    if (store.isMysql) {
      return store.sql(
        `CREATE TRIGGER broken BEFORE UPDATE ON nest_jobs FOR EACH ROW
         IF OLD.id = '${id}' AND NEW.status = 'DONE' THEN
           SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this row is broken'; END IF`,
      );
    }
    await store.sql(
      `CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE 'this row is broken'; END $$`,
    );
    return store.sql(
      `CREATE TRIGGER broken BEFORE UPDATE ON nest_jobs FOR EACH ROW
       WHEN (OLD.id = '${id}' AND NEW.status = 'DONE') EXECUTE FUNCTION broken()`,
    );
  };
  const mendRow = () => store.sql(`DROP TRIGGER broken${store.isPostgres ? ' ON nest_jobs' : ''}`);

  if (store.hasManyWriters) lockedRows();

  function lockedRows() {
    describe('12. A row that another transaction has locked', () => {
      it('is answered "busy" by settle, and the rest of the batch is written', async () => {
        const jobs = await claimed('a', 'b', 'c');
        const batch = jobs.map((job) => ({ ...job, outcome: DONE }));
        await whileLocked('b', async () => {
          expect(await store.queue.settle(batch)).toEqual(['written', 'busy', 'written']);
        });
        expect(await store.job('b')).toMatchObject({
          status: 'PENDING',
          attemptsDone: 0,
        });
        expect(await store.queue.settle(batch)).toEqual(['lost', 'written', 'lost']);
        expect(await store.job('a')).toMatchObject({
          status: 'DONE',
          attemptsDone: 1,
        });
      });

      it('holds back no other job, even if it has just come due', async () => {
        await store.client.enqueueMany([
          { kind: KIND, id: 'scheduled', delayMs: 1 },
          { kind: KIND, id: 'ready' },
        ]);
        await sleep(20);
        const claim = async () => (await store.queue.claim([KIND], 5, LONG)).map(({ id }) => id);
        await whileLocked('scheduled', async () => {
          expect(await claim()).toEqual(['ready']);
        });
        expect(await claim()).toEqual(['scheduled']);
      });

      it('holds back no job of another kind, even if it comes first', async () => {
        await store.client.enqueueMany([
          { kind: 'a', id: 'first', priority: 1 },
          { kind: 'b', id: 'second', priority: 2 },
          { kind: 'b', id: 'third', priority: 3 },
        ]);
        const claim = async (limit: number) =>
          (await store.queue.claim(['a', 'b'], limit, LONG)).map(({ id }) => id);
        await whileLocked('first', async () => {
          expect(await claim(1)).toEqual(['second']);
        });
        expect(await claim(5)).toEqual(['first', 'third']);
      });

      it('is answered "busy" by renew, and the rest of the batch is written', async () => {
        const jobs = await claimed('a', 'b', 'c');
        const leases = jobs.map((job) => ({ ...job, alone: false }));
        await whileLocked('b', async () => {
          expect(await store.queue.renew(leases, 3_600_000)).toEqual(['written', 'busy', 'written']);
        });
        expect((await store.job('b')).lockedUntil).toEqual(jobs[1]!.lockedUntil);
        expect(await store.queue.renew(leases, 3_600_000)).toEqual(['written', 'written', 'written']);
      });

      it('is answered "lost" if the lease is not ours anyway', async () => {
        const [job] = await claimed('a');
        await store.queue.release([job!]);
        await store.claimOne();
        await whileLocked('a', async () => {
          expect(await store.queue.settle([{ ...job!, outcome: DONE }])).toEqual(['lost']);
          expect(await store.queue.renew([{ ...job!, alone: false }], 1)).toEqual(['lost']);
        });
      });

      it('is skipped by a claim and a reclaim, which do not wait for it', async () => {
        await store.client.enqueueMany(['a', 'b', 'c'].map((id) => ({ kind: KIND, id })));
        await whileLocked('a', async () => {
          const ready = await store.queue.claim([KIND], 9, { workerId: 'x', leaseMs: 0 });
          expect(ready.map(({ id }) => id)).toEqual(['b', 'c']);
        });
        await whileLocked('b', async () => {
          expect(await store.reclaimed(1)).toMatchObject([{ id: 'c' }]);
        });
        expect(await store.reclaimed(1)).toMatchObject([{ id: 'b' }]);
      });

      it('is settled by the worker as soon as it is free', async () => {
        await store.client.enqueue(KIND, null, { id: 'held' });
        await store.client.enqueue(KIND, null, { id: 'other' });
        let finish!: (value: unknown) => void;
        const finished = new Promise((resolve) => (finish = resolve));
        let started = 0;
        const handler = () => {
          started += 1;
          return finished;
        };
        await store.work({ [KIND]: handler });
        await until(() => started === 2);
        await whileLocked('held', async () => {
          finish('fine');
          expect(await store.ended('other')).toMatchObject({ status: 'DONE' });
          expect(await store.job('held')).toMatchObject({ status: 'PENDING' });
        });
        expect(await store.ended('held')).toMatchObject({
          status: 'DONE',
          attemptsDone: 1,
        });
      });

      it('is given back by release as soon as it is free', async () => {
        const [job] = await claimed('a');
        let releasing = Promise.resolve();
        await whileLocked('a', async () => {
          releasing = store.queue.release([job!]);
          const begun = performance.now();
          await until(() => performance.now() - begun > 150); // the lock outlasts the first try
        });
        await releasing;
        expect(await store.claimOne()).toMatchObject({
          id: 'a',
          attemptsDone: 0,
        });
      });
    });
  }

  describe('12. A row that cannot be written', () => {
    it('does not hold back other outcomes, and is retried until it can be written', async () => {
      const ids = Array.from({ length: 30 }, (_, n) => `job ${n}`);
      await breakRow('job 7');
      try {
        await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
        const runs = new Map<string, number>();
        const handler = ({ id }: { id: string }) => void runs.set(id, (runs.get(id) ?? 0) + 1);
        await store.work({ [KIND]: handler }, { concurrency: 30 });
        for (const id of ids.filter((id) => id !== 'job 7')) {
          expect(await store.ended(id)).toMatchObject({ status: 'DONE', attemptsDone: 1 });
        }
        expect(await store.job('job 7')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
        await mendRow();
        expect(await store.ended('job 7')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
        expect([...runs.values()]).toEqual(ids.map(() => 1));
      } finally {
        await mendRow().catch(() => undefined);
      }
    });
  });

  describe('4. An outcome that the storage refuses for good', () => {
    it('is replaced by one that says why, and is neither tried without end nor run again', async () => {
      await breakRow('broken');
      try {
        await store.client.enqueueMany(['broken', 'good'].map((id) => ({ kind: KIND, id })));
        const runs: string[] = [];
        const worker = await store.work({ [KIND]: ({ id }) => void runs.push(id) });
        await until(() => runs.length === 2);
        expect(await store.ended('good')).toMatchObject({ status: 'DONE' });
        await worker.stop(); // waits for it, and not for all its time
        const { status, attemptsDone, lastError, lockedBy } = await store.job('broken');
        expect([status, attemptsDone, lockedBy]).toEqual(['FAILED', 1, undefined]);
        expect(lastError).toMatch(/^The outcome could not be stored: .*this row is broken/);
        expect(runs.toSorted()).toEqual(['broken', 'good']);
      } finally {
        await mendRow();
      }
    });
  });

  it('distinguishes a refusal of what was written from a late answer and a broken connection', async () => {
    const [job] = await claimed('a');
    await breakRow('a');
    try {
      const refusal = await store.queue.settle([{ ...job!, outcome: DONE }]).catch((error: unknown) => error);
      expect(refusal).toHaveProperty('message'); // the driver's errors may be of the realm of another suite
      expect(store.queue.refusesContent(refusal)).toBe(true);
    } finally {
      await mendRow();
    }
    expect(store.queue.refusesContent(new RangeError('Invalid string length'))).toBe(true);
    expect(store.queue.refusesContent(new DatabaseTimeoutError(1_000))).toBe(false);
    expect(store.queue.refusesContent(new Error('Connection terminated unexpectedly'))).toBe(false);
  });

  describe.each(['payload', 'carried'])('13. A %s that cannot be read', (column) => {
    it('fails only its own job', async () => {
      await store.client.enqueueMany(['a', 'b', 'c'].map((id) => ({ kind: KIND, id, payload: { id } })));
      // Only a manual change of the row can do this. A json column on PostgreSQL accepts only JSON.
      const broken = store.isPostgres ? '"\\ud800"' : '{"cut';
      await store.sql(`UPDATE nest_jobs SET ${column} = ? WHERE id = 'b'`, [broken]);
      await store.work({ [KIND]: (job) => ({ ...job })[column as 'payload'] });
      expect(await store.ended('a')).toMatchObject({ status: 'DONE' });
      expect(await store.ended('c')).toMatchObject({ status: 'DONE' });
      if (store.isPostgres) {
        expect(await store.ended('b')).toMatchObject({ status: 'DONE', result: '\ud800' });
        return;
      }
      const rowB = async () =>
        (await store.sql(`SELECT status, last_error FROM nest_jobs WHERE id = 'b'`))[0]!;
      await until(async () => (await rowB()).status === 'FAILED');
      await expect(store.queue.get('b')).rejects.toThrow(UnreadableDocumentError);
      expect((await rowB()).last_error).not.toContain('"cut');
      expect((await rowB()).last_error).toMatch(
        /cannot be read[^]*UnreadableDocumentError: The stored \w+ is no JSON/,
      );
    });
  });
}

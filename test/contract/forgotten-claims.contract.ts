import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../lib/job/outcome.js';
import { until } from '../support/until.js';
import { KIND, LONG, type SqlStore } from '../support/store.js';

const DONE: Outcome = { type: 'done', result: { json: '"first"', bytes: null } };

/**
 * What a worker meets where a server answers that has not heard of its claim: a node of a cluster that is behind, or a
 * standby that was promoted without it.
 */
export function forgottenClaimsContract(store: SqlStore): void {
  const falsy = store.isPostgres ? 'false' : '0';
  /** The row as it was before the claim. */
  const forget = (id: string) =>
    store.sql(
      `UPDATE nest_jobs SET lease_token = lease_token - 1, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = ${falsy}
       WHERE id = ?`,
      [id],
    );
  const claimed = async (id = 'one') => {
    await store.client.enqueue(KIND, null, { id });
    return store.claimOne();
  };

  describe('A row that is older than a lease', () => {
    it('is stale: nothing is written, and it may be tried again', async () => {
      const job = await claimed();
      await forget('one');
      expect(await store.queue.renew([{ ...job, alone: false }], 60_000)).toEqual(['stale']);
      expect(await store.queue.settle([{ ...job, outcome: DONE }])).toEqual(['stale']);
      expect(await store.job('one')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      const again = await store.claimOne();
      expect(again.leaseToken).toBe(job.leaseToken);
      expect(await store.queue.settle([{ ...job, outcome: DONE }])).toEqual(['written']); // it has caught up
    });

    it('keeps no outcome from being written once it has caught up', async () => {
      let end!: () => void;
      const ended = new Promise<void>((resolve) => (end = resolve));
      const worker = await store.work(
        { [KIND]: () => ended },
        { leaseMs: 3_000, concurrency: 1, workerId: 'ours' },
      );
      await store.client.enqueue(KIND, null, { id: 'one' });
      await store.once('one', ({ lockedBy }) => lockedBy !== undefined);
      const { lease_token: token } = (await store.sql('SELECT lease_token FROM nest_jobs'))[0]!;
      await store.sql('UPDATE nest_jobs SET lease_token = lease_token - 1');
      end();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await store.job('one')).toMatchObject({ status: 'PENDING' });
      await store.sql('UPDATE nest_jobs SET lease_token = ?', [token]);
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 1, crashes: 0 });
      await worker.stop();
    });

    it('is given up when the lease has ended', async () => {
      let runs = 0;
      const handler = async () => {
        runs += 1;
        if (runs === 1) await store.sql('UPDATE nest_jobs SET lease_token = 0');
      };
      await store.work({ [KIND]: handler }, { leaseMs: 1_000 });
      await store.client.enqueue(KIND, null, { id: 'one' });
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', crashes: 1 });
      expect(runs).toBe(2);
    });
  });

  describe('A claim that was forgotten, and made again under the same token', () => {
    it('by another worker belongs to that one alone', async () => {
      const ours = await claimed();
      await forget('one');
      const theirs = await store.claimOne({ ...LONG, workerId: 'another' });
      expect(theirs.leaseToken).toBe(ours.leaseToken);
      expect(await store.queue.renew([{ ...ours, alone: false }], 1)).toEqual(['lost']);
      expect(await store.queue.settle([{ ...ours, outcome: DONE }])).toEqual(['lost']);
      await store.queue.release([ours]);
      expect(await store.job('one')).toMatchObject({
        status: 'PENDING',
        lockedBy: 'another',
        attemptsDone: 0,
      });
      expect(await store.queue.settle([{ ...theirs, outcome: DONE }])).toEqual(['written']);
    });

    it('by the same worker is the same run: the handler is called once', async () => {
      let runs = 0;
      let end!: () => void;
      const ended = new Promise<void>((resolve) => (end = resolve));
      const handler = async () => {
        runs += 1;
        await ended;
        return 'first';
      };
      await store.work({ [KIND]: handler }, { leaseMs: 10_000, concurrency: 5 });
      await store.client.enqueue(KIND, null, { id: 'one' });
      await until(() => runs === 1);
      await forget('one');
      await store.once('one', ({ lockedBy }) => lockedBy !== undefined);
      await store.client.enqueue(KIND, null, { id: 'two' });
      await until(() => runs === 2); // it goes on to claim others
      end();
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 1, result: 'first' });
      expect(runs).toBe(2);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import type { JobState } from '../../lib/job/job-state.js';
import type { Outcome } from '../../lib/job/outcome.js';
import { KIND, LONG, SqlStore, type Store } from '../support/store.js';

/** Where a job stands, as `get` tells it. */
export function stateContract(store: Store): void {
  const stateOf = async (id: string) => (await store.job(id)).state;

  async function settled(id: string, outcome: Outcome): Promise<void> {
    await store.client.enqueue(KIND, null, { id });
    await store.queue.settle([{ ...(await store.claimOne()), outcome }]);
  }

  describe('The state of a job', () => {
    it('is scheduled before its runAt, and ready from then on', async () => {
      expect(await store.client.enqueue(KIND, null, { id: 'later', delayMs: 600_000 })).toMatchObject({
        state: 'scheduled',
      });
      expect(await stateOf('later')).toBe('scheduled');
      expect(await store.client.enqueue(KIND, null, { id: 'now' })).toMatchObject({ state: 'ready' });
      expect(await stateOf('now')).toBe('ready');
      await store.client.enqueue(KIND, null, { id: 'soon', delayMs: 20 });
      await store.once('soon', (job) => job.state === 'ready', 'its runAt has come');
    });

    it('is running while a worker holds it, and ready when it is given back', async () => {
      await store.client.enqueue(KIND, null, { id: 'held' });
      const claimed = await store.claimOne();
      expect(claimed.state).toBe('running');
      expect(await stateOf('held')).toBe('running');
      await store.queue.release([claimed]);
      expect(await stateOf('held')).toBe('ready');
    });

    it('is retrying after a failed attempt until the next may start', async () => {
      await settled('again', { type: 'retry', delayMs: 600_000, lastError: 'Error: no' });
      expect(await stateOf('again')).toBe('retrying');
      await settled('at once', { type: 'retry', delayMs: 0, lastError: 'Error: no' });
      expect(await stateOf('at once')).toBe('ready');
    });

    it.each<[JobState, Outcome]>([
      ['done', { type: 'done', result: { json: null, bytes: null } }],
      ['failed', { type: 'failed', lastError: 'Error: no' }],
      ['panic', { type: 'panic', lastError: 'panic: no' }],
    ])('is %s once its outcome is written', async (state, outcome) => {
      await settled('ended', outcome);
      expect(await stateOf('ended')).toBe(state);
    });

    if (store instanceof SqlStore)
      it('is stopping while it runs and is to be cancelled, and cancelled in the end', async () => {
        await store.client.enqueue(KIND, null, { id: 'unwanted' });
        await store.queue.claim([KIND], 1, LONG);
        await store.sql('UPDATE nest_jobs SET cancel_requested_at = created_at');
        expect(await stateOf('unwanted')).toBe('stopping');
        await store.sql(
          "UPDATE nest_jobs SET status = 'CANCELLED', locked_by = NULL, locked_at = NULL, locked_until = NULL",
        );
        expect(await stateOf('unwanted')).toBe('cancelled');
      });
  });
}

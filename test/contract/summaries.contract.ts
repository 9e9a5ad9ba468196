import { describe, expect, it } from '@jest/globals';
import { JobSearch } from '../../lib/client/job-search.js';
import type { JobConditions } from '../../lib/job/job-conditions.js';
import { UnreadableDocumentError } from '../../lib/job/unreadable-document-error.js';
import { KIND, LONG, SqlStore, type Store } from '../support/store.js';

const BOUNDS = { order: 'oldest', after: null, limit: 10, maxSearched: 1_000 } as const;

/** Lists are told of jobs without what these hold, and of each job although another one cannot be read. */
export function summariesContract(store: Store): void {
  const list = async (conditions: JobConditions) =>
    (await new JobSearch(store.queue.reads).list(conditions, BOUNDS)).jobs.map(({ id }) => id);

  it('5. A summary tells all of a job but its payload, its result and what it carries', async () => {
    const settings = { tags: ['t', 'u'], priority: -1, maxAttempts: 3, unique: { key: 'k' } };
    await store.client.enqueue(KIND, { n: 1 }, { id: 'waiting', delayMs: 3_600_000, ...settings });
    await store.client.enqueue(KIND, new Uint8Array([1, 2]), { id: 'done', priority: -2 });
    const claimed = await store.queue.claim([KIND], 1, LONG);
    await store.queue.settle([
      { ...claimed[0]!, outcome: { type: 'done', result: { json: '1', bytes: null } } },
    ]);
    await store.client.enqueue(KIND, null, { id: 'stopping', priority: -2 });
    await store.queue.claim([KIND], 1, LONG);
    await store.client.cancel('stopping', { reason: 'not needed' });
    const ids = ['waiting', 'done', 'stopping'];
    const summaries = await store.queue.reads.summaries([...ids, 'gone']);
    expect(summaries).toHaveLength(3);
    for (const id of ids) {
      const { payload: _payload, result: _result, ...rest } = await store.job(id);
      const summary = summaries.find((one) => one.id === id)!;
      expect(summary).toEqual(rest);
      for (const field of ['payload', 'result', 'carried', 'traceContext'])
        expect(summary).not.toHaveProperty(field);
    }
    expect(await store.queue.reads.summaries([])).toEqual([]);
  });

  // A json column of PostgreSQL accepts only JSON.
  if (!(store instanceof SqlStore) || store.isPostgres) return;

  describe.each(['payload', 'result', 'carried', 'settings', 'progress'])(
    '5. A %s that is no JSON',
    (column) => {
      it('hides no job from a list, and keeps none from being deleted with the others', async () => {
        await store.client.enqueueMany(['a', 'b', 'c'].map((id) => ({ kind: KIND, id, payload: { n: 1 } })));
        await store.sql(`UPDATE nest_jobs SET ${column} = ? WHERE id = 'b'`, ['{"n":1,"cut']);
        await expect(store.client.find()).rejects.toThrow(UnreadableDocumentError);
        expect(await list({})).toEqual(['a', 'b', 'c']);
        expect(await store.queue.reads.summaries(['b'])).toMatchObject([
          { id: 'b', kind: KIND, state: 'ready' },
        ]);
        const conditions = { payload: [{ path: ['n'], value: 1 }] };
        expect(await list(conditions)).toEqual(['a', 'c']);
        expect(await store.client.count({ payload: { n: 1 } })).toEqual({ value: 2, capped: false });
        expect(await store.client.deleteMany({ payload: { n: 1 } })).toMatchObject({ changed: 2 });
        expect(await list({})).toEqual(['b']);
        expect(await store.client.deleteMany({ kinds: [KIND] })).toMatchObject({ changed: 1 });
      });
    },
  );
}

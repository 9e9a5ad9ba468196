import { describe, expect, it } from '@jest/globals';
import { DuplicateJobError } from '../../lib/job/errors.js';
import { scheduleLabel } from '../../lib/job/labels.js';
import { resolveRetention } from '../../lib/job/retention.js';
import { pruneAll } from '../../lib/maintenance/prune-settled.js';
import { Scheduling } from '../support/scheduling.js';
import { KIND, LONG, type SqlStore } from '../support/store.js';
import { until } from '../support/until.js';

/** Rows by which jobs are found: a tag or a schedule, and the job. They are written and deleted with the job. */
export function labelsContract(store: SqlStore): void {
  const labels = async () => {
    const rows = await store.sql('SELECT label, job_id FROM nest_jobs_labels');
    return rows.map(({ label, job_id }) => `${String(label)} of ${String(job_id)}`).toSorted();
  };

  describe('The labels of jobs', () => {
    const scheduling = new Scheduling(store);

    it('are written with one job, with jobs that are alike, and with a list where few have any', async () => {
      await store.client.enqueue(KIND, 1, { id: 'one', tags: ['red', 'blue'] });
      await store.client.enqueueMany(['two', 'three'].map((id) => ({ kind: KIND, id, tags: ['red'] })));
      await store.client.enqueueMany([
        { kind: KIND, id: 'plain', payload: 1 },
        { kind: KIND, id: 'four', priority: 2, tags: ['Grün 🌱', `"'\\{,}`] },
        { kind: KIND, id: 'late', delayMs: 60_000, backoff: { type: 'fixed', delayMs: 1 } },
      ]);
      expect(await labels()).toEqual(
        [
          ...['red of one', 'blue of one', 'red of two', 'red of three'],
          ...['Grün 🌱 of four', `"'\\{,} of four`],
        ].toSorted(),
      );
    });

    it('are written by enqueues that leave together in one statement, with and without tags', async () => {
      const given = Array.from({ length: 40 }, (_, n) => n);
      await Promise.all(
        given.map((n) =>
          store.client.enqueue(KIND, n, { id: `job ${n}`, ...(n % 2 === 0 && { tags: ['even'] }) }),
        ),
      );
      const even = given.filter((n) => n % 2 === 0).map((n) => `even of job ${n}`);
      expect(await labels()).toEqual(even.toSorted());
    });

    it('are not written where the id is taken, and those of the job that is there stay', async () => {
      await store.client.enqueue(KIND, 1, { id: 'job', tags: ['red'] });
      await expect(
        store.client.enqueue(KIND, 1, { id: 'job', tags: ['red', 'blue'] }),
      ).rejects.toBeInstanceOf(DuplicateJobError);
      const many = ['other', 'job'].map((id) => ({ kind: KIND, id, tags: ['green'] }));
      await expect(store.client.enqueueMany(many)).rejects.toBeInstanceOf(DuplicateJobError);
      await store.client.enqueue(KIND, 1, { id: 'job', ifExists: 'join', tags: ['white'] });
      expect(await labels()).toEqual(['red of job']);
    });

    it('count for nothing when they are left of a job that something else has deleted, whoever has its id since', async () => {
      for (const id of ['stays', 'gone', 'again', 'red'])
        await store.client.enqueue(KIND, 1, { id, tags: ['red', 'Grün 🌱 "'] });
      await store.sql(`DELETE FROM nest_jobs WHERE id IN ('gone', 'again', 'red')`);
      await store.client.enqueue(KIND, 1, { id: 'again', tags: ['reddish'] });
      await store.client.enqueue(KIND, 1, { id: 'red' });
      for (const tags of [['red'], ['Grün 🌱 "'], ['red', 'Grün 🌱 "']]) {
        const { jobs } = await store.client.find({ tags });
        expect(jobs.map(({ id }) => id)).toEqual(['stays']);
        expect(await store.client.count({ tags })).toEqual({ value: 1, capped: false });
        expect(await store.client.count({ tags, ids: ['stays', 'again', 'gone', 'red'] })).toMatchObject({
          value: 1,
        });
      }
    });

    it('are left alone in a transaction that refuses a job, and vanish with one that is rolled back', async () => {
      await store.client.enqueue(KIND, 1, { id: 'job', tags: ['red'] });
      const undone = store.client.transaction(async () => {
        await store.client.enqueue(KIND, 1, { id: 'undone', tags: ['blue'] });
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      await store.client.transaction(() => store.client.enqueue(KIND, 1, { id: 'done', tags: ['blue'] }));
      expect(await labels()).toEqual(['blue of done', 'red of job']);
    });

    it('are written with unique jobs, and are those of the new enqueue where a job is replaced', async () => {
      const unique = { key: 'k', onConflict: 'replace' } as const;
      const { id } = await store.client.enqueue(KIND, 1, { unique, tags: ['red', 'blue'] });
      expect(await labels()).toEqual([`blue of ${id}`, `red of ${id}`]);
      const replaced = await store.client.enqueue(KIND, 2, { unique, tags: ['blue', 'green'] });
      expect(replaced).toMatchObject({ id, enqueued: 'replaced', tags: ['blue', 'green'] });
      expect(await labels()).toEqual([`blue of ${id}`, `green of ${id}`]);
      await store.client.enqueue(KIND, 3, { unique });
      expect(await labels()).toEqual([]);
      await store.client.enqueue(KIND, 4, { unique: { key: 'k' }, tags: ['joined'] });
      expect(await labels()).toEqual([]);
    });

    it('are written for jobs that are joined by their ids, where they are new', async () => {
      await store.client.enqueue(KIND, 1, { id: 'a', ifExists: 'join', tags: ['red'] });
      await store.client.enqueueMany([
        { kind: KIND, id: 'a', ifExists: 'join', tags: ['blue'] },
        { kind: KIND, id: 'b', ifExists: 'join', tags: ['blue'] },
      ]);
      expect(await labels()).toEqual(['blue of b', 'red of a']);
    });

    it('are replaced by an update of the tags, and stay with any other', async () => {
      await store.client.enqueue(KIND, 1, { id: 'job', tags: ['red', 'blue'] });
      await store.client.update('job', { priority: 2 });
      await store.client.update('job', { backoff: { type: 'fixed', delayMs: 5 } });
      expect(await labels()).toEqual(['blue of job', 'red of job']);
      await store.client.update('job', { tags: ['blue', 'green'] });
      expect(await labels()).toEqual(['blue of job', 'green of job']);
      const undone = store.client.transaction(async () => {
        await store.client.update('job', { tags: ['white'] });
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect(await labels()).toEqual(['blue of job', 'green of job']);
      await store.client.transaction(() => store.client.update('job', { tags: ['white'] }));
      expect(await labels()).toEqual(['white of job']);
      await store.client.update('job', { tags: [] });
      expect(await labels()).toEqual([]);
    });

    it('go along to a copy, and stay with a job that is retried', async () => {
      await store.client.enqueue(KIND, 1, { id: 'job', tags: ['red'] });
      await store.client.clone('job', { id: 'copy' });
      await store.client.cancel('job');
      await store.client.retry('job');
      expect(await labels()).toEqual(['red of copy', 'red of job']);
    });

    it('are the tags and the name of a schedule for the jobs that it makes', async () => {
      scheduling.start({ declares: { sync: { kind: KIND, everyMs: 1_000, tags: ['red'] } } });
      await until(async () => (await labels()).length > 1, { what: 'labels of a job' });
      await scheduling.stop();
      const ids = (await store.sql('SELECT id FROM nest_jobs')).map(({ id }) => String(id));
      const expected = ids.flatMap((id) => [`red of ${id}`, `${scheduleLabel('sync')} of ${id}`]);
      expect(await labels()).toEqual(expected.toSorted());
    });

    it('go with the job: with a delete, a prune, and a settlement that keeps nothing', async () => {
      for (const id of ['deleted', 'pruned', 'settled', 'stays'])
        await store.client.enqueue(KIND, 1, { id, tags: ['red'] });
      await store.client.delete('deleted');
      await store.client.cancel('pruned');
      await pruneAll(store.queue.retention, resolveRetention({ cancelled: 0 }));
      const jobs = await store.queue.claim([KIND], 2, LONG);
      const outcome = { type: 'done', result: { json: null, bytes: null } } as const;
      await store.queue.settle(
        jobs.filter(({ id }) => id === 'settled').map((job) => ({ ...job, outcome, deletes: true })),
      );
      expect(await labels()).toEqual(['red of stays']);
    });
  });
}

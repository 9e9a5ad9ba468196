import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../lib/async/deferred.js';
import { JobFailedError, JobGoneError, WaitTimeoutError } from '../../lib/job/control-errors.js';
import { InvalidJobError } from '../../lib/job/errors.js';
import { KIND, LONG, type Store } from '../support/store.js';
import { until } from '../support/until.js';

const DONE = { type: 'done', result: { json: '{"n":1}', bytes: null } } as const;

/** Waiting for jobs to end. */
export function waitContract(store: Store): void {
  /** The error that a call rejects with. */
  const thrown = (call: Promise<unknown>) => call.then(() => undefined).catch((error: unknown) => error);
  /** Counts the looks of those who wait. */
  const countLooks = () => {
    const ids: number[] = [];
    const { reads } = store.queue;
    const counted = Object.assign(Object.create(reads) as typeof reads, {
      statuses: (looked: readonly string[]) => {
        ids.push(looked.length);
        return reads.statuses(looked);
      },
    });
    const queue = Object.create(store.queue, { reads: { value: counted } }) as typeof store.queue;
    return { ids, client: store.clientOf(queue) };
  };
  /** Settles a job as another process does, of which this one hears nothing. */
  const settle = async () => {
    const job = await store.claimOne();
    expect(await store.queue.settle([{ ...job, outcome: DONE }])).toEqual(['written']);
  };

  describe('5. waitFor', () => {
    it('resolves with the job when it has ended here, and at once where it has already', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const waiting = store.client.waitFor('job');
      await store.work({ [KIND]: () => ({ n: 1 }) });
      expect(await waiting).toMatchObject({ id: 'job', status: 'DONE', result: { n: 1 } });
      expect(await store.client.waitFor('job', { timeoutMs: 30_000 })).toMatchObject({ status: 'DONE' });
      expect(await store.client.waitForResult('job')).toEqual({ n: 1 });
    });

    it('resolves when the job has ended elsewhere, after retries as well', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      let hasEnded = false;
      const waiting = store.client.waitFor('job').then((job) => {
        hasEnded = true;
        return job;
      });
      const job = await store.claimOne();
      const outcome = { type: 'retry', delayMs: 0, lastError: 'once more' } as const;
      await store.queue.settle([{ ...job, outcome }]);
      expect(hasEnded).toBe(false);
      await settle();
      expect(await waiting).toMatchObject({ status: 'DONE', attemptsDone: 2 });
    });

    it.each(['failed', 'panic', 'cancelled'] as const)(
      'resolves with a job that is %s, and its result rejects with that job',
      async (type) => {
        await store.client.enqueue(KIND, null, { id: 'job' });
        const [waiting, result] = [store.client.waitFor('job'), thrown(store.client.waitForResult('job'))];
        if (type === 'cancelled') await store.client.cancel('job', { reason: 'because' });
        else {
          const job = await store.claimOne();
          await store.queue.settle([{ ...job, outcome: { type, lastError: 'Error: because\n at x' } }]);
        }
        const status = type.toUpperCase();
        expect(await waiting).toMatchObject({ status });
        const error = await result;
        expect(error).toBeInstanceOf(JobFailedError);
        expect(error).toMatchObject({ job: { id: 'job', status } });
        expect((error as Error).message).toMatch(new RegExp(`^Job job is ${status}: (Error: )?because$`));
      },
    );

    it('rejects where there is no such job, and when it is deleted', async () => {
      const none = await thrown(store.client.waitFor('none'));
      expect(none).toBeInstanceOf(JobGoneError);
      expect(none).toMatchObject({ jobId: 'none' });
      await store.client.enqueue(KIND, null, { id: 'job' });
      const waiting = thrown(store.client.waitFor('job'));
      await store.client.delete('job');
      expect(await waiting).toBeInstanceOf(JobGoneError);
    });

    it('rejects when the time is up, and the job goes on', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const error = await thrown(store.client.waitFor('job', { timeoutMs: 20 }));
      expect(error).toBeInstanceOf(WaitTimeoutError);
      expect(error).toMatchObject({ jobId: 'job', timeoutMs: 20 });
      await settle();
      expect(await store.client.waitFor('job')).toMatchObject({ status: 'DONE' });
    });

    it('rejects with the reason of its signal, before and while it waits', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const controller = new AbortController();
      const waiting = thrown(store.client.waitFor('job', { signal: controller.signal }));
      const reason = new Error('the request is gone');
      controller.abort(reason);
      expect(await waiting).toBe(reason);
      expect(await thrown(store.client.waitFor('job', { signal: controller.signal }))).toBe(reason);
    });

    it('is refused with what is no time and no signal', async () => {
      for (const options of [{ timeoutMs: -1 }, { timeoutMs: '5' }, { signal: {} }]) {
        const waiting = store.client.waitFor('job', options as never);
        await expect(waiting).rejects.toBeInstanceOf(InvalidJobError);
      }
    });

    it('goes on where a look fails', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const { reads } = store.queue;
      let failures = 0;
      const failing = Object.assign(Object.create(reads) as typeof reads, {
        statuses: (looked: readonly string[]) =>
          ++failures < 3 ? Promise.reject(new Error('the database is away')) : reads.statuses(looked),
      });
      const queue = Object.create(store.queue, { reads: { value: failing } }) as typeof store.queue;
      const waiting = store.clientOf(queue).waitFor('job');
      await until(() => failures > 2);
      await settle();
      expect(await waiting).toMatchObject({ status: 'DONE' });
    });

    it('asks once for all who wait', async () => {
      const { client, ids } = countLooks();
      const jobs = Array.from({ length: 2_500 }, (_, n) => ({ kind: KIND, id: `job ${n}` }));
      await store.client.enqueueMany(jobs);
      const all = Promise.all([...jobs, ...jobs].map(({ id }) => client.waitFor(id)));
      await until(() => ids.length > 0);
      const claimed = await store.queue.claim([KIND], jobs.length, LONG);
      const settlements = claimed.map((job) => ({ ...job, outcome: DONE }));
      await store.queue.settle(settlements);
      expect(await all).toHaveLength(5_000);
      expect(ids[0]).toBe(2_500);
      expect(ids.length).toBeLessThan(50); // some looks a second, however busy the machine is
    });

    it('of a job that the transaction has enqueued rejects at once inside it', async () => {
      const inside = deferred<unknown>();
      await store.client.transaction(async () => {
        await store.client.enqueue(KIND, null, { id: 'job' });
        inside.resolve(await thrown(store.client.waitFor('job')));
      });
      expect(await inside.promise).toBeInstanceOf(JobGoneError);
    });
  });
}

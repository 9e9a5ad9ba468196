import { describe, expect, it } from '@jest/globals';
import { encodeDocument } from '../../lib/job/document.js';
import { InvalidJobError } from '../../lib/job/errors.js';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { AttemptHistory, JobAttempt } from '../../lib/job/job-attempt.js';
import type { Outcome } from '../../lib/job/outcome.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import { KIND, LONG, SHORT, SqlStore, type Store } from '../support/store.js';

const MINUTE = 60_000;
const DONE: Outcome = { type: 'done', result: { json: '1', bytes: null } };
const FAILED: Outcome = { type: 'failed', lastError: 'Error: no' };
const RETRY: Outcome = { type: 'retry', delayMs: 0, lastError: 'Error: later' };

/** 7. A row for each attempt that did not simply succeed, for all of them, or for none. */
export function attemptsContract(store: Store): void {
  const open = (attempts: AttemptHistory) => store.open({ attempts });
  const enqueued = async (count = 1, queue = store.queue): Promise<ClaimedJob[]> => {
    const ids = Array.from({ length: count }, (_, index) => `job ${index}`);
    await store.clientOf(queue).enqueueMany(ids.map((id) => ({ kind: KIND, id })));
    const jobs = await queue.claim([KIND], count, LONG);
    return jobs.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  };
  const settle = async (jobs: readonly ClaimedJob[], outcomes: readonly Outcome[], queue = store.queue) => {
    const settlements = jobs.map((job, index) => ({ ...job, outcome: outcomes[index]! }));
    expect(await queue.settle(settlements)).toEqual(jobs.map(() => 'written'));
  };
  const attempts = (id: string, queue = store.queue): Promise<JobAttempt[]> =>
    store.clientOf(queue).attempts(id);
  const outcomesOf = async (id: string, queue?: JobQueue) =>
    (await attempts(id, queue)).map(({ attempt, outcome }) => `${attempt} ${outcome}`);

  describe('7. The attempts of a job', () => {
    it('tell how each ended that did not succeed, by batches in which others did', async () => {
      const jobs = await enqueued(6);
      const outcomes: Outcome[] = [
        DONE,
        FAILED,
        { type: 'panic', lastError: 'panic: \u{1F4A5}' },
        { type: 'retry', delayMs: MINUTE, lastError: 'Error: later' },
        { type: 'cancelled', reason: 'not wanted' },
        { type: 'snoozed', delayMs: MINUTE },
      ];
      await settle(jobs, outcomes);
      const all = await Promise.all(jobs.map(({ id }) => attempts(id)));
      const after = await Promise.all(jobs.map(({ id }) => store.job(id)));
      expect(all).toMatchObject([
        [],
        [{ attempt: 1, worker: 'tester', outcome: 'failed', error: 'Error: no' }],
        [{ attempt: 1, worker: 'tester', outcome: 'panic', error: expect.stringMatching(/^panic: /) }],
        [{ attempt: 1, worker: 'tester', outcome: 'retry', error: 'Error: later', nextAt: after[3]!.runAt }],
        [{ attempt: 1, worker: 'tester', outcome: 'cancelled', error: 'not wanted' }],
        [],
      ]);
      for (const [index, [attempt]] of all.entries()) {
        if (attempt === undefined) continue;
        expect(attempt.startedAt).toEqual(after[index]!.lastAttemptAt);
        expect(Math.abs(attempt.endedAt.getTime() - after[index]!.updatedAt.getTime())).toBeLessThan(1_000);
        expect(Object.hasOwn(attempt, 'nextAt')).toBe(index === 3);
      }
    });

    it('are listed with the newest first, and fifty of them are kept', async () => {
      let [job] = await enqueued();
      for (let attempt = 1; attempt <= 53; attempt++) {
        await settle([job!], [{ type: 'retry', delayMs: 0, lastError: `attempt ${attempt}` }]);
        job = await store.claimOne();
      }
      const all = await attempts('job 0');
      expect(all.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 50 }, (_, index) => 53 - index));
      expect(all[0]).toMatchObject({ error: 'attempt 53' });
      expect(await store.job('job 0')).toMatchObject({ attemptsDone: 53 });
    });

    it('are as many as are counted where all are recorded', async () => {
      const queue = open('all');
      const [job] = await enqueued(1, queue);
      await settle([job!], [RETRY], queue);
      const crashed = (await queue.claim([KIND], 1, { ...SHORT, workerId: 'dead' }))[0]!;
      expect(crashed.attemptsDone).toBe(1);
      await store.reclaimed(1);
      const snoozing = (await queue.claim([KIND], 1, LONG))[0]!;
      await settle([snoozing], [{ type: 'snoozed', delayMs: 0 }], queue);
      const given = (await queue.claim([KIND], 1, LONG))[0]!;
      await queue.release([given]);
      await settle([(await queue.claim([KIND], 1, LONG))[0]!], [DONE], queue);
      expect(await outcomesOf(job!.id, queue)).toEqual(['3 done', '2 crashed', '1 retry']);
      expect(await queue.get(job!.id)).toMatchObject({ attemptsDone: 3, crashes: 1 });
      const [last] = await attempts(job!.id, queue);
      expect([last!.error, last!.nextAt]).toEqual([undefined, undefined]);
    });

    it('are not recorded where none are to be', async () => {
      const queue = open('none');
      const jobs = await enqueued(2, queue);
      await settle(jobs, [FAILED, RETRY], queue);
      await queue.claim([KIND], 1, SHORT);
      const reclaimed: unknown[] = [];
      while (reclaimed.length === 0) reclaimed.push(...(await queue.reclaim(3)));
      for (const { id } of jobs) expect(await attempts(id, queue)).toEqual([]);
    });

    it('tell of a worker that died, by its name and with the message that the job has', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      await store.claimOne({ workerId: 'dead', leaseMs: 0, alone: true });
      await store.reclaimed(1, 2);
      await store.claimOne({ workerId: 'dead too', leaseMs: 0, alone: true });
      await store.reclaimed(1, 2);
      const [second, first] = await attempts('job');
      const job = await store.job('job');
      expect(first).toMatchObject({ attempt: 1, worker: 'dead', outcome: 'crashed' });
      expect(first!.error).toMatch(/^the worker dead stopped renewing .* \(crash 1 of 2\)$/);
      expect(first!.nextAt!.getTime()).toBeGreaterThanOrEqual(first!.startedAt!.getTime());
      expect(job.status).toBe('PANIC');
      expect(second).toMatchObject({
        attempt: 2,
        worker: 'dead too',
        outcome: 'crashed',
        error: job.lastError,
        startedAt: job.lastAttemptAt,
      });
      expect(second!.nextAt).toBeUndefined();
    });

    it('are not written for a claim that was carried out late and is given back', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      await store.claimOne({ workerId: 'me', leaseMs: 0 });
      const own = { workerId: 'me', lostIds: [] };
      const reclaimed: unknown[] = [];
      while (reclaimed.length === 0) reclaimed.push(...(await store.queue.reclaim(3, () => [], own)));
      expect(await attempts('job')).toEqual([]);
      expect(await store.job('job')).toMatchObject({ attemptsDone: 0, state: 'ready' });
    });

    it('say cancelled of one that was stopped and knew of nothing', async () => {
      const [job] = await enqueued();
      await store.client.cancel(job!.id, { reason: 'enough' });
      await settle([job!], [RETRY]);
      expect(await attempts(job!.id)).toMatchObject([{ outcome: 'cancelled', error: 'enough' }]);
    });

    it('go with their job', async () => {
      const jobs = await enqueued(2);
      await settle(jobs, [FAILED, RETRY]);
      expect(await store.client.delete('job 0')).toBe(true);
      const again = await store.claimOne();
      const deletes = { ...again, outcome: FAILED, deletes: true };
      expect(await store.queue.settle([deletes])).toEqual(['written']);
      for (const { id } of jobs) expect(await attempts(id)).toEqual([]);
    });

    it('go on with the next number where the job is retried by hand', async () => {
      const [job] = await enqueued();
      await settle([job!], [FAILED]);
      await store.client.retry(job!.id);
      await settle([await store.claimOne()], [FAILED]);
      expect(await outcomesOf(job!.id)).toEqual(['2 failed', '1 failed']);
    });

    it('are none of a job that does not exist, and of no id an error', async () => {
      expect(await attempts('none')).toEqual([]);
      await expect(attempts('')).rejects.toBeInstanceOf(InvalidJobError);
    });

    it('of a worker are those that it counts', async () => {
      const queue = open('all');
      const { id } = await store.clientOf(queue).enqueue(KIND);
      await store.work(
        {
          [KIND]: {
            run: (_job, { attempt, snooze }) => {
              if (attempt < 3) throw new Error(`attempt ${attempt}`);
              if (attempt === 3) snooze(0);
            },
            options: { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } },
          },
        },
        {},
        queue,
      );
      await store.ended(id);
      expect(await outcomesOf(id, queue)).toEqual(['2 failed', '1 retry']);
      expect((await attempts(id, queue))[0]!.error).toMatch(/^Error: attempt 2\n/);
    });
  });

  if (store.hasManyWriters)
    describe('7. The attempt of a transactional handler', () => {
      it('is recorded in its transaction, where all are', async () => {
        const queue = open('all');
        const [job] = await enqueued(1, queue);
        const attempt = { ...job!, alone: false, signal: new AbortController().signal };
        const fails = () => Promise.reject(new Error('no'));
        await expect(queue.runAndSettle(attempt, fails)).rejects.toThrow('no');
        expect(await attempts(job!.id, queue)).toEqual([]);
        const result = () => Promise.resolve(encodeDocument(1, 'result', 10));
        expect(await queue.runAndSettle(attempt, result)).toBe('written');
        expect(await outcomesOf(job!.id, queue)).toEqual(['1 done']);
      });
    });

  if (store instanceof SqlStore)
    describe('7. An attempt whose number has a row already', () => {
      it('takes its place', async () => {
        const [job] = await enqueued();
        await settle([job!], [RETRY]);
        await store.sql('UPDATE nest_jobs SET attempts_done = 0');
        await settle([await store.claimOne()], [FAILED]);
        expect(await outcomesOf(job!.id)).toEqual(['1 failed']);
      });

      it('ends though the count has reached its limit', async () => {
        const [job] = await enqueued();
        await store.sql('UPDATE nest_jobs SET attempts_done = 2000000000');
        await settle([job!], [RETRY]);
        await settle([await store.claimOne()], [FAILED]);
        expect(await outcomesOf(job!.id)).toEqual(['2000000000 failed']);
      });
    });
}

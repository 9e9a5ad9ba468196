import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../lib/async/deferred.js';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import { InvalidJobError } from '../../lib/job/errors.js';
import type { JobContext } from '../../lib/job/job.js';
import type { Outcome } from '../../lib/job/outcome.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, type Store } from '../support/store.js';

const MINUTE = 60_000;
const DONE: Outcome = { type: 'done', result: { json: '1', bytes: null } };
const SNOOZED: Outcome = { type: 'snoozed', delayMs: MINUTE };

/** 7. A handler puts its job back: it runs again later, and no attempt is spent. */
export function snoozeContract(store: Store): void {
  /** Enqueues a job, runs a handler for it, and waits until it has been put back for the first time. */
  const snoozedBy = async (run: HandlerFn, options = {}) => {
    const told = deferred<number>();
    const end = store.events.on('snoozed', ({ delayMs }) => told.resolve(delayMs));
    const { id } = await store.client.enqueue(KIND, { n: 1 }, { id: 'job' });
    await store.work({ [KIND]: { run, options } }, { pollIntervalMs: MINUTE });
    const delayMs = await told.promise;
    end();
    return { delayMs, job: await store.job(id) };
  };
  const claimedJobs = async (count: number) => {
    const ids = Array.from({ length: count }, (_, index) => `job ${index}`);
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
    const jobs = await store.queue.claim([KIND], count, LONG);
    return jobs.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  };

  describe('7. context.snooze', () => {
    it('puts the job back by the clock of the store, and drops what the handler returns', async () => {
      const { job, delayMs } = await snoozedBy((_job, { snooze }) => {
        snooze(1);
        snooze(MINUTE - 0.5); // the last one counts, and is rounded up
        return new Map([['no', 'JSON']]);
      });
      expect(delayMs).toBe(MINUTE);
      expect(job).toMatchObject({ status: 'PENDING', state: 'scheduled', attemptsDone: 0, crashes: 0 });
      expect(Math.abs(job.runAt.getTime() - job.updatedAt.getTime() - MINUTE)).toBeLessThanOrEqual(1);
      for (const field of ['result', 'lastError', 'lastAttemptAt', 'lockedBy', 'lockedUntil'] as const)
        expect(job[field]).toBeUndefined();
      expect(await store.queue.claim([KIND], 1, LONG)).toEqual([]);
    });

    it('runs it again when it is due, as the same attempt, whatever pollIntervalMs', async () => {
      const attempts: number[] = [];
      const tokens: number[] = [];
      await snoozedBy((_job, { attempt, leaseToken, snooze }) => {
        attempts.push(attempt);
        tokens.push(leaseToken);
        if (attempts.length < 4) snooze(attempts.length === 1 ? 150 : 0);
      });
      expect(await store.ended('job')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(attempts).toEqual([1, 1, 1, 1]);
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
      expect(new Set(tokens).size).toBe(4);
    });

    it('counts the error of a handler that throws after it', async () => {
      const { id } = await store.client.enqueue(KIND);
      await store.work({
        [KIND]: (_job, { snooze }) => {
          snooze(MINUTE);
          throw new Error('no');
        },
      });
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(job.lastError).toMatch(/^Error: no/);
    });

    it.each([[-1], [NaN], [Infinity], ['1000'], [undefined], [4e12]])('refuses %p', async (ms) => {
      const thrown = deferred<unknown>();
      const { id } = await store.client.enqueue(KIND);
      await store.work({
        [KIND]: (_job, { snooze }) => {
          try {
            snooze(ms as number);
          } catch (error) {
            thrown.resolve(error);
          }
        },
      });
      expect(await thrown.promise).toBeInstanceOf(InvalidJobError);
      expect(await thrown.promise).toMatchObject({ path: 'ms' });
      expect(await store.ended(id)).toMatchObject({ status: 'DONE' });
    });

    it('spends no attempt of the budget', async () => {
      let calls = 0;
      const run: HandlerFn = (_job, { snooze }) => {
        calls += 1;
        if (calls % 2 === 0) throw new Error(`call ${calls}`);
        snooze(0);
      };
      await snoozedBy(run, { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } });
      expect(await store.ended('job')).toMatchObject({ status: 'FAILED', attemptsDone: 2, crashes: 0 });
      expect(calls).toBe(4);
    });

    it('is told by an event of its own and by a line of the log', async () => {
      const settled: string[] = [];
      const end = store.events.on('settled', ({ job }) => settled.push(job.id));
      await snoozedBy((_job, { snooze }) => snooze(MINUTE));
      end();
      expect(settled).toEqual([]);
      expect(store.logged('debug', 'put back by its handler, runs again in 60 s')).toBe(true);
    });

    it('works in dequeue', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      expect(await store.queue.dequeue([KIND], (_job, { snooze }) => snooze(MINUTE))).toBe(true);
      expect(await store.job('job')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      expect(await store.queue.dequeue([KIND], () => undefined)).toBe(false);
    });
  });

  describe('7. A settlement that puts a job back', () => {
    it('is written together with others, each as it is', async () => {
      const jobs = await claimedJobs(5);
      const lastError = 'it was so';
      const outcomes: Outcome[] = [
        SNOOZED,
        DONE,
        { type: 'snoozed', delayMs: 0 },
        { type: 'failed', lastError },
        DONE,
      ];
      const settlements = jobs.map((job, index) => ({
        ...job,
        outcome: outcomes[index]!,
        deletes: index === 4,
      }));
      expect(await store.queue.settle(settlements)).toEqual(jobs.map(() => 'written'));
      const after = await Promise.all(jobs.map(({ id }) => store.queue.get(id)));
      expect(after.map((job) => job && [job.state, job.attemptsDone])).toEqual([
        ['scheduled', 0],
        ['done', 1],
        ['ready', 0],
        ['failed', 1],
        null,
      ]);
      expect(await store.claimOne()).toMatchObject({ id: 'job 2', attemptsDone: 0 });
    });

    it('changes nothing where the lease is lost, and answers so', async () => {
      await store.client.enqueue(KIND, null, { id: 'job' });
      const job = await store.claimOne(SHORT);
      await store.reclaimed(1);
      expect(await store.queue.settle([{ ...job, outcome: SNOOZED }])).toEqual(['lost']);
      expect(await store.job('job')).toMatchObject({ state: 'ready', attemptsDone: 1, crashes: 1 });
    });

    it('ends a job that was asked to end, and counts no attempt', async () => {
      const [job] = await claimedJobs(1);
      await store.client.cancel(job!.id, { reason: 'enough' });
      expect(await store.queue.settle([{ ...job!, outcome: SNOOZED }])).toEqual(['written']);
      expect(await store.job(job!.id)).toMatchObject({
        status: 'CANCELLED',
        cancelReason: 'enough',
        attemptsDone: 0,
      });
    });

    it('keeps what earlier attempts have left', async () => {
      const [job] = await claimedJobs(1);
      await store.queue.settle([{ ...job!, outcome: { type: 'retry', delayMs: 0, lastError: 'the first' } }]);
      const before = await store.job(job!.id);
      const again = await store.claimOne();
      expect(await store.queue.settle([{ ...again, outcome: SNOOZED }])).toEqual(['written']);
      expect(await store.job(job!.id)).toMatchObject({
        state: 'retrying',
        attemptsDone: 1,
        lastError: 'the first',
        lastAttemptAt: before.lastAttemptAt,
      });
    });
  });

  if (!store.hasManyWriters) return;

  describe('7. A transactional handler that snoozes', () => {
    const start = async (run: (context: JobContext<never>) => unknown) => {
      await store.dataSource.query('CREATE TABLE IF NOT EXISTS effects (job varchar(50))');
      await store.dataSource.query('DELETE FROM effects');
      await store.client.enqueue(KIND, null, { id: 'job' });
      const handler: HandlerFn = async (_job, context) => {
        await context.manager.query(`INSERT INTO effects (job) VALUES ('job')`);
        return run(context);
      };
      await store.work(
        { [KIND]: { run: handler, options: { transactional: true } } },
        { pollIntervalMs: MINUTE },
      );
    };
    const effects = async () => (await store.dataSource.query<unknown[]>('SELECT job FROM effects')).length;

    it('has its transaction committed, with the job put back in it', async () => {
      const told: string[] = [];
      const ends = (['snoozed', 'settledInTransaction'] as const).map((event) =>
        store.events.on(event, () => void told.push(event)),
      );
      await start(({ snooze }) => snooze(MINUTE));
      await until(() => told.length > 0, { what: 'the end of the attempt' });
      for (const end of ends) end();
      expect(told).toEqual(['snoozed']);
      expect(await effects()).toBe(1);
      const job = await store.job('job');
      expect(job).toMatchObject({ state: 'scheduled', attemptsDone: 0 });
      expect(job.result).toBeUndefined();
      expect(job.lockedBy).toBeUndefined();
    });

    it('runs again when the job is due, whatever pollIntervalMs', async () => {
      let calls = 0;
      await start(({ snooze }) => {
        calls += 1;
        if (calls < 3) snooze(100);
      });
      expect(await store.ended('job')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(await effects()).toBe(3);
    });

    it('is rolled back where it throws after that', async () => {
      await start(({ snooze }) => {
        snooze(MINUTE);
        throw new Error('no');
      });
      expect(await store.ended('job')).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(await effects()).toBe(0);
    });
  });
}

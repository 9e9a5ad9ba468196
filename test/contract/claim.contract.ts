import { describe, expect, it } from '@jest/globals';
import { RetryableError } from '../../lib/job/errors.js';
import type { NewJob } from '../../lib/job/job.js';
import type { Outcome } from '../../lib/job/outcome.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, withMethods, type Store } from '../support/store.js';

export function claimContract(store: Store): void {
  const enqueue = (...jobs: (Partial<NewJob> & { id: string })[]) =>
    store.client.enqueueMany(jobs.map((job) => ({ kind: KIND, ...job })));
  const numbered = (count: number, more: Partial<NewJob> = {}) =>
    store.client.enqueueMany(Array.from({ length: count }, (_, n) => ({ kind: KIND, payload: n, ...more })));
  const claimIds = async (
    kinds: readonly string[],
    limit: number,
    kindLimits?: ReadonlyMap<string, number>,
  ) =>
    (await store.queue.claim(kinds, limit, { ...LONG, ...(kindLimits && { kindLimits }) })).map(
      ({ id }) => id,
    );

  describe('3. A claim takes a job for one worker only', () => {
    it('gives each of 300 jobs to one of 12 workers that claim at the same time', async () => {
      const jobs = await numbered(300);
      const claimed: string[] = [];
      const claimer = async (workerId: string) => {
        while (claimed.length < jobs.length) {
          const mine = await store.queue.claim([KIND], 7, { ...LONG, workerId });
          expect(mine.every((job) => job.lockedBy === workerId)).toBe(true);
          claimed.push(...mine.map(({ id }) => id));
        }
      };
      await Promise.all(Array.from({ length: 12 }, (_, n) => claimer(`claimer ${n}`)));
      expect(claimed.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    });

    it('runs each of 200 jobs once among three workers', async () => {
      const jobs = await numbered(200);
      const runs: number[] = [];
      const handler = (job: { payload: number }) => void runs.push(job.payload);
      for (let n = 0; n < 3; n++) await store.work({ [KIND]: handler });
      await until(() => runs.length >= jobs.length);
      for (const { id } of jobs)
        expect(await store.ended(id)).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(runs.toSorted((a, b) => a - b)).toEqual(jobs.map((_, n) => n));
    });

    it('returns the lease with the job, and stores it', async () => {
      const [before] = await enqueue({ id: 'one', payload: [1] });
      const job = await store.claimOne({ workerId: 'w 1', leaseMs: 45_000 });
      const lease = { lockedBy: 'w 1', lockedUntil: expect.any(Date) };
      const own = { leaseToken: 1, payloadSize: 3, state: 'running' };
      expect(job).toEqual({ ...before, ...lease, ...own, enqueued: undefined, updatedAt: expect.any(Date) });
      const leaseMs = job.lockedUntil.getTime() - job.createdAt.getTime();
      expect(leaseMs).toBeGreaterThanOrEqual(45_000);
      expect(leaseMs).toBeLessThan(55_000);
      const stored = await store.job('one');
      expect(stored).toMatchObject({ status: 'PENDING', attemptsDone: 0, lockedBy: 'w 1' });
      expect(stored.lockedUntil).toEqual(job.lockedUntil);
    });

    it('tells of each job what few jobs have', async () => {
      const rare: Partial<NewJob> = { maxAttempts: 7, tags: ['"a"', 'ü\\'], priority: 1 };
      await enqueue({ id: 'rare', ...rare }, { id: 'usual' });
      const lastError = `Error: it's "quoted" \\ \u0007 🎉\nat x`;
      const retry: Outcome = { type: 'retry', lastError, delayMs: 0 };
      const first = await store.queue.claim([KIND], 2, LONG);
      expect(
        await store.queue.settle([{ ...first.find(({ id }) => id === 'rare')!, outcome: retry }]),
      ).toEqual(['written']);
      await store.queue.release(first.filter(({ id }) => id === 'usual'));
      const [usual, again] = await store.queue.claim([KIND], 2, LONG);
      const stored = await store.job('rare');
      for (const job of [again!, stored])
        expect(job).toMatchObject({ maxAttempts: 7, tags: rare.tags, attemptsDone: 1, lastError });
      expect(again!.lastAttemptAt).toEqual(stored.lastAttemptAt);
      expect(usual).toMatchObject({ id: 'usual', payloadVersion: 1, attemptsDone: 0, crashes: 0 });
      for (const key of ['maxAttempts', 'lastError', 'lastAttemptAt', 'tags'] as const)
        expect(usual![key]).toBeUndefined();
    });

    it('takes up to its limit and no more', async () => {
      await numbered(5);
      expect(await claimIds([KIND], 2)).toHaveLength(2);
      expect(await claimIds([KIND], 9)).toHaveLength(3);
      expect(await claimIds([KIND], 9)).toHaveLength(0);
    });

    it('takes only jobs of the given kinds', async () => {
      await enqueue({ id: 'a', kind: 'a' }, { id: 'b', kind: 'b' }, { id: 'c', kind: 'c' });
      expect(await claimIds(['nobody'], 9)).toEqual([]);
      expect(await claimIds(['a', 'c', 'nobody'], 9)).toEqual(['a', 'c']);
    });

    it('serves many kinds at once', async () => {
      const kinds = Array.from({ length: 40 }, (_, n) => `kind ${n}`);
      await enqueue(...kinds.map((kind, n) => ({ id: `job ${n}`, kind, priority: 40 - n })));
      const claimed = await claimIds(kinds, 50);
      expect(claimed).toEqual(kinds.map((_, n) => `job ${39 - n}`));
    });

    describe('of so many bytes', () => {
      const SIZE = 100_000;
      const large = 'x'.repeat(SIZE - 2); // and two quotes
      const within = async (maxBytes: number, kinds = [KIND], limit = 50) =>
        (await store.queue.claim(kinds, limit, { ...LONG, maxBytes })).map(({ id }) => id);

      it('ends with the job that reaches them, and leaves the others to the next', async () => {
        await enqueue(...['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, payload: large })));
        expect(await within(SIZE + 1)).toEqual(['a', 'b']);
        expect(await within(SIZE)).toEqual(['c']);
        expect(await within(1)).toEqual(['d']);
        expect(await within(Infinity)).toEqual(['e']);
      });

      it('counts what comes before, of whatever size and kind, in the order of priority', async () => {
        const bytes = new Uint8Array(SIZE);
        await enqueue(
          { id: 'small', kind: 'a', payload: 1 },
          { id: 'bytes', kind: 'b', priority: 1, payload: bytes },
          { id: 'large', kind: 'a', priority: 2, payload: large },
          { id: 'none', kind: 'c', priority: 3 },
          { id: 'last', kind: 'b', priority: 4, payload: large },
        );
        const kinds = ['a', 'b', 'c'];
        expect(await within(2 * SIZE, kinds)).toEqual(['small', 'bytes', 'large']);
        expect(await within(2 * SIZE, kinds)).toEqual(['none', 'last']);
      });

      it('brings payloads and sizes as they are stored', async () => {
        await enqueue({ id: 'a', payload: large }, { id: 'b', payload: new Uint8Array(SIZE) }, { id: 'c' });
        const jobs = await store.queue.claim([KIND], 9, { ...LONG, maxBytes: 3 * SIZE });
        expect(jobs.map(({ payloadSize }) => payloadSize)).toEqual([SIZE, SIZE, 0]);
        expect(jobs[0]!.payload).toBe(large);
        expect(jobs[1]!.payload).toEqual(new Uint8Array(SIZE));
        expect(jobs.map(({ leaseToken }) => leaseToken)).toEqual([1, 1, 1]);
      });

      it('takes the best of many small ones as one without a bound does', async () => {
        await numbered(1_000);
        expect(await within(16 * 1024 * 1024, [KIND], 700)).toHaveLength(700);
        expect(await within(16 * 1024 * 1024, [KIND, 'other'], 700)).toHaveLength(300);
      });
    });

    it('raises the lease token with each claim, no matter how the last one ended', async () => {
      await enqueue({ id: 'one' });
      const first = await store.claimOne();
      await store.queue.release([first]);
      const second = await store.claimOne();
      await store.queue.settle([{ ...second, outcome: { type: 'retry', delayMs: 0, lastError: 'x' } }]);
      const third = await store.claimOne(SHORT);
      await store.reclaimed(1);
      const fourth = await store.claimOne();
      const tokens = [first, second, third, fourth].map(({ leaseToken }) => leaseToken);
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
      expect(new Set(tokens).size).toBe(4);
    });
  });

  describe('3. dequeue', () => {
    it('reports that there was no job', async () => {
      await enqueue({ id: 'other', kind: 'other' });
      expect(await store.queue.dequeue([KIND], () => expect(true).toBe(false))).toBe(false);
      expect(await store.job('other')).toMatchObject({ attemptsDone: 0 });
    });

    it('takes the first job and resolves when its outcome is written', async () => {
      await enqueue({ id: 'b', priority: 1 }, { id: 'a', priority: 2 });
      expect(await store.queue.dequeue([KIND], (job) => `did ${job.id}`)).toBe(true);
      expect(await store.job('b')).toMatchObject({ status: 'DONE', result: 'did b', attemptsDone: 1 });
      expect(await store.job('a')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
    });

    it('keeps the job locked until fn has returned, even if that takes longer than a lease', async () => {
      const leaseMs = 2_500;
      const queue = store.open({ leaseMs, heartbeatMs: 100 });
      await store.clientOf(queue).enqueue(KIND, null, { id: 'slow' });
      const begun = performance.now();
      const ran = await queue.dequeue([KIND], async (_job, { signal }) => {
        await until(async () => {
          expect(await queue.claim([KIND], 9, LONG)).toEqual([]);
          expect(await queue.reclaim(3)).toEqual([]);
          expect(await queue.dequeue([KIND], () => 'stolen')).toBe(false);
          return performance.now() - begun > 1.2 * leaseMs;
        });
        expect(signal.aborted).toBe(false);
        return 'slow';
      });
      expect(ran).toBe(true);
      expect(await store.job('slow')).toMatchObject({ status: 'DONE', result: 'slow', attemptsDone: 1 });
    });

    it('records with each heartbeat that the job runs alone, so that it is convicted if it kills its process', async () => {
      const inner = store.open({ leaseMs: 400, heartbeatMs: 80 });
      const renewals: boolean[] = [];
      const queue = withMethods(inner, {
        renew: (leases, leaseMs) => {
          renewals.push(...leases.map(({ alone }) => alone));
          return inner.renew(leases, leaseMs);
        },
      });
      await store.clientOf(queue).enqueue(KIND);
      await queue.dequeue([KIND], () => until(() => renewals.length >= 2));
      expect(renewals.slice(0, 2)).toEqual([true, true]);
    });

    it('gives fn the attempt, the token and the worker, and what earlier attempts left', async () => {
      await enqueue({ id: 'one' });
      await store.queue.dequeue([KIND], () => {
        throw new RetryableError('first', { retryAfterMs: 0 });
      });
      const seen: unknown[] = [];
      await until(() =>
        store.queue.dequeue([KIND], (job, context) => {
          seen.push(job.attemptsDone, job.lastError, context.attempt, context.workerId, context.leaseToken);
          expect(context.job.id).toBe(job.id);
        }),
      );
      expect(seen).toEqual([1, expect.stringMatching(/^RetryableError: first/), 2, 'dequeuer-dequeue', 2]);
    });

    it('reclaims the jobs of dead workers if nothing else is ready', async () => {
      await enqueue({ id: 'orphan' });
      await store.claimOne(SHORT);
      await until(() => store.queue.dequeue([KIND], () => 'saved'));
      expect(await store.job('orphan')).toMatchObject({ status: 'DONE', attemptsDone: 2, crashes: 1 });
    });
  });

  describe('11. Ready jobs run in order of priority, run_at and id', () => {
    const at = (ms: number) => new Date(1_700_000_000_000 + ms);

    it('by priority, lower first, then by run_at, then by id', async () => {
      await enqueue(
        { id: 'e', priority: 1, runAt: at(0) },
        { id: 'd', priority: 0, runAt: at(2) },
        { id: 'c', priority: 0, runAt: at(1) },
        { id: 'b', priority: 0, runAt: at(1) },
        { id: 'a', priority: -1, runAt: at(5) },
        { id: 'f', priority: -2, runAt: at(9) },
      );
      expect(await claimIds([KIND], 4)).toEqual(['f', 'a', 'b', 'c']);
      expect(await claimIds([KIND], 4)).toEqual(['d', 'e']);
    });

    it('by id in Unicode code point order', async () => {
      const ids = ['B', 'Z', 'a', 'aa', 'b', 'é', '\uE000', '\uFFFD', '\u{10000}', '\u{1F600}', '\u{1F601}'];
      const shuffled = [...ids].reverse();
      await enqueue(...shuffled.map((id) => ({ id, runAt: at(0) })));
      expect(await claimIds([KIND], 3)).toEqual(ids.slice(0, 3));
      expect(await claimIds([KIND], 99)).toEqual(ids.slice(3));
    });

    it('across kinds, even if there are more jobs than the limit allows', async () => {
      const jobs = Array.from({ length: 60 }, (_, n) => ({
        id: `job ${String((n * 37) % 60).padStart(2, '0')}`,
        kind: `kind ${n % 3}`,
        runAt: at((n * 37) % 60),
      }));
      await enqueue(...jobs);
      const inOrder = jobs.map(({ id }) => id).toSorted();
      const kinds = ['kind 0', 'kind 1', 'kind 2'];
      expect(await claimIds(kinds, 7)).toEqual(inOrder.slice(0, 7));
      expect(await claimIds(kinds, 20)).toEqual(inOrder.slice(7, 27));
      expect(await claimIds(kinds, 99)).toEqual(inOrder.slice(27));
    });

    it('takes the best jobs of all kinds, even if they are all of one kind', async () => {
      await enqueue(
        ...Array.from({ length: 9 }, (_, n) => ({ id: `x${n}`, kind: 'x', priority: 0, runAt: at(n) })),
        ...Array.from({ length: 9 }, (_, n) => ({ id: `y${n}`, kind: 'y', priority: 1, runAt: at(n) })),
      );
      expect(await claimIds(['y', 'x'], 4)).toEqual(['x0', 'x1', 'x2', 'x3']);
    });

    it('takes no more jobs of a kind than its limit allows', async () => {
      await enqueue(
        ...Array.from({ length: 5 }, (_, n) => ({ id: `x${n}`, kind: 'x', priority: 0, runAt: at(n) })),
        ...Array.from({ length: 5 }, (_, n) => ({ id: `y${n}`, kind: 'y', priority: 1, runAt: at(n) })),
      );
      const kinds = ['x', 'y'];
      expect(await claimIds(kinds, 9, new Map([['x', 0]]))).toEqual(['y0', 'y1', 'y2', 'y3', 'y4']);
      expect(await claimIds(kinds, 9, new Map([['x', 2]]))).toEqual(['x0', 'x1']);
      expect(await claimIds(kinds, 2, new Map([['x', 9]]))).toEqual(['x2', 'x3']);
    });

    it('fills up with other kinds if the limit of one is reached', async () => {
      await enqueue(
        ...Array.from({ length: 5 }, (_, n) => ({ id: `x${n}`, kind: 'x', priority: 0, runAt: at(n) })),
        ...Array.from({ length: 5 }, (_, n) => ({ id: `y${n}`, kind: 'y', priority: 1, runAt: at(n) })),
      );
      const limits = new Map([
        ['x', 1],
        ['y', 3],
      ]);
      expect(await claimIds(['x', 'y'], 9, limits)).toEqual(['x0', 'y0', 'y1', 'y2']);
    });

    it('counts a kind once if it is given twice', async () => {
      await enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' });
      expect(await claimIds([KIND, KIND], 9, new Map([[KIND, 2]]))).toHaveLength(2);
      expect(await claimIds([KIND, KIND], 9)).toHaveLength(1);
    });

    it('even if a scheduled job has just come due', async () => {
      await enqueue({ id: 'ready', priority: 5, kind: 'x' }, { id: 'also ready', priority: 5 });
      const [urgent] = await enqueue({ id: 'urgent', delayMs: 100 });
      await until(() => Date.now() > urgent!.runAt.getTime() + 50);
      expect(await claimIds([KIND, 'x'], 1)).toEqual(['urgent']);
    });

    it('is not held up by older and more urgent jobs of kinds that no worker serves', async () => {
      await numbered(1_200, { kind: 'nobody', priority: -9, runAt: at(0) });
      await enqueue({ id: 'ours', priority: 9 });
      expect(await claimIds([KIND], 1)).toEqual(['ours']);
    });

    it('is not held up by jobs that are running, scheduled or settled', async () => {
      await enqueue({ id: 'a1' }, { id: 'a2', delayMs: 60_000, priority: -1 }, { id: 'a3' }, { id: 'a4' });
      await store.claimOne();
      const ended = await store.claimOne();
      await store.queue.settle([{ ...ended, outcome: { type: 'failed', lastError: 'no' } }]);
      expect(await claimIds([KIND], 9)).toEqual(['a4']);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import type { ClaimedJob, Job } from '../../lib/job/job.js';
import type { Outcome } from '../../lib/job/outcome.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, type Store } from '../support/store.js';

const DONE: Outcome = { type: 'done', result: { json: '"fine"', bytes: null } };
const FAILED: Outcome = { type: 'failed', lastError: 'Error: no' };
const PANIC: Outcome = { type: 'panic', lastError: 'panic: no' };
const retry = (delayMs: number): Outcome => ({ type: 'retry', delayMs, lastError: 'Error: again' });

/** The comments of renew, settle, release and reclaim, and promise 9. */
export function leaseContract(store: Store): void {
  const stored = async (count: number) => {
    const ids = Array.from({ length: count }, (_, n) => `job ${n}`);
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
    return ids;
  };
  const claimed = async (count = 1, terms = LONG) => {
    await stored(count);
    return store.queue.claim([KIND], count, terms);
  };
  const settle = async (job: ClaimedJob, outcome: Outcome) =>
    (await store.queue.settle([{ ...job, outcome }]))[0];
  const renew = async (job: ClaimedJob, leaseMs = 60_000, alone = false) =>
    (await store.queue.renew([{ ...job, alone }], leaseMs))[0];
  const begin = ({ lockedUntil }: ClaimedJob, leaseMs = LONG.leaseMs) => lockedUntil.getTime() - leaseMs;
  const isUnlocked = (job: Job) => job.lockedBy === undefined && job.lockedUntil === undefined;

  describe('4. settle writes an outcome', () => {
    it.each([
      ['done', DONE, { status: 'DONE', result: 'fine' }],
      ['failed', FAILED, { status: 'FAILED', lastError: 'Error: no' }],
      ['panic', PANIC, { status: 'PANIC', lastError: 'panic: no' }],
      ['retry', retry(60_000), { status: 'PENDING', lastError: 'Error: again' }],
    ] as const)('%s, counts the attempt and ends the lease', async (_name, outcome, expected) => {
      const [job] = await claimed();
      expect(await settle(job!, outcome)).toBe('written');
      const after = await store.job(job!.id);
      expect(after).toMatchObject({ ...expected, attemptsDone: 1, crashes: 0 });
      expect(isUnlocked(after)).toBe(true);
      expect(Math.abs(after.lastAttemptAt!.getTime() - begin(job!))).toBeLessThanOrEqual(1);
      expect(after.updatedAt.getTime()).toBeGreaterThanOrEqual(after.lastAttemptAt!.getTime());
      expect(await store.queue.claim([KIND], 9, LONG)).toEqual([]);
    });

    it('makes a job ready for its retry after the delay, and not before', async () => {
      const [job] = await claimed();
      await settle(job!, retry(300));
      const { runAt, updatedAt } = await store.job(job!.id);
      expect(Math.abs(runAt.getTime() - updatedAt.getTime() - 300)).toBeLessThanOrEqual(1);
      let again: ClaimedJob | undefined;
      while (again === undefined) [again] = await store.queue.claim([KIND], 1, LONG);
      expect(begin(again)).toBeGreaterThanOrEqual(runAt.getTime() - 1);
      expect(again).toMatchObject({ attemptsDone: 1, lastError: 'Error: again' });
    });

    it('makes a job ready at once for a retry without a delay', async () => {
      const [job] = await claimed();
      await settle(job!, retry(0));
      expect(await store.claimOne()).toMatchObject({ id: job!.id, attemptsDone: 1 });
    });

    it('keeps the last error of an earlier attempt on a job that succeeds later', async () => {
      const [job] = await claimed();
      await settle(job!, retry(0));
      await settle(await store.claimOne(), DONE);
      const after = await store.job(job!.id);
      expect(after).toMatchObject({ status: 'DONE', lastError: 'Error: again', attemptsDone: 2 });
    });

    it('answers in the given order, and handles each settlement by itself', async () => {
      const jobs = await claimed(5);
      await settle(jobs[1]!, DONE);
      await store.queue.release([jobs[3]!]);
      const order = [4, 1, 0, 3, 2].map((index) => ({ ...jobs[index]!, outcome: DONE }));
      const nobody = { id: 'nobody', leaseToken: 1, lockedBy: LONG.workerId, outcome: DONE };
      expect(await store.queue.settle([...order, nobody])).toEqual([
        ...['written', 'lost', 'written', 'lost', 'written'],
        'lost',
      ]);
    });

    it('writes 1,000 outcomes of every type in one call', async () => {
      const jobs = await claimed(1_000);
      const bytes: Outcome = { type: 'done', result: { json: null, bytes: new Uint8Array([0, 255]) } };
      const outcomes = [DONE, FAILED, PANIC, retry(60_000), bytes];
      const batch = jobs.map((job, index) => ({ ...job, outcome: outcomes[index % 5]! }));
      expect(new Set(await store.queue.settle(batch.toReversed()))).toEqual(new Set(['written']));
      for (const [index, status] of ['DONE', 'FAILED', 'PANIC', 'PENDING', 'DONE'].entries()) {
        expect(await store.job(batch[index]!.id)).toMatchObject({ status, attemptsDone: 1 });
      }
      expect((await store.job(batch[4]!.id)).result).toEqual(new Uint8Array([0, 255]));
    });

    it('gives each job its own result, whether the results are equal or not', async () => {
      const jobs = await claimed(4);
      const done = (json: string): Outcome => ({ type: 'done', result: { json, bytes: null } });
      const write = (results: Readonly<Record<number, string>>) =>
        store.queue.settle(
          Object.entries(results).map(([index, json]) => ({ ...jobs[Number(index)]!, outcome: done(json) })),
        );
      expect(await write({ 0: '"a\\"b"', 1: '{"n":1}' })).toEqual(['written', 'written']);
      expect(await write({ 2: '[null]', 3: '[null]' })).toEqual(['written', 'written']);
      const results = await Promise.all(jobs.map(async ({ id }) => (await store.job(id)).result));
      expect(results).toEqual(['a"b', { n: 1 }, [null], [null]]);
    });

    it('does nothing with empty lists', async () => {
      expect(await store.queue.settle([])).toEqual([]);
      expect(await store.queue.renew([], 1000)).toEqual([]);
      await store.queue.release([]);
    });
  });

  describe('Leases of two workers in one call', () => {
    it('are each judged by their own worker', async () => {
      await store.client.enqueueMany([
        { kind: KIND, id: 'a' },
        { kind: KIND, id: 'b' },
      ]);
      const [a] = await store.queue.claim([KIND], 1, { ...LONG, workerId: 'one' });
      const [b] = await store.queue.claim([KIND], 1, { ...LONG, workerId: 'two' });
      const forged = { ...a!, lockedBy: 'two' };
      const renewals = [a!, b!, forged].map((lease) => ({ ...lease, alone: false }));
      expect(await store.queue.renew(renewals, 60_000)).toEqual(['written', 'written', 'lost']);
      await store.queue.release([b!, forged]);
      expect(await store.job('a')).toMatchObject({ lockedBy: 'one' });
      const [again] = await store.queue.claim([KIND], 1, { ...LONG, workerId: 'two' });
      const settlements = [forged, again!, a!].map((lease) => ({ ...lease, outcome: DONE }));
      expect(await store.queue.settle(settlements)).toEqual(['lost', 'written', 'written']);
    });
  });

  describe('A reclaim by a worker that is alive', () => {
    it('gives back a job of a claim of its own that was carried out late, and counts no crash', async () => {
      const ids = ['held', 'late', 'lost', 'of a dead one'];
      await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
      const terms = { leaseMs: 0, alone: true };
      const own = await store.queue.claim([KIND], 3, { ...terms, workerId: 'ours' });
      await store.queue.claim([KIND], 1, { ...terms, workerId: 'dead' });
      const held = own.filter(({ id }) => id === 'held');
      const reclaim = () => store.queue.reclaim(1, () => held, { workerId: 'ours', lostIds: ['lost'] });
      const reclaimed = await reclaim();
      await until(async () => reclaimed.push(...(await reclaim())) >= 3);
      const job = { kind: KIND, workerId: 'ours' };
      expect(reclaimed.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
        { ...job, id: 'late', crashes: 0, status: 'PENDING' },
        { ...job, id: 'lost', crashes: 1, status: 'PANIC' },
        { ...job, id: 'of a dead one', workerId: 'dead', crashes: 1, status: 'PANIC' },
      ]);
      const late = await store.job('late');
      expect(late).toMatchObject({ state: 'ready', crashes: 0, attemptsDone: 0 });
      expect(late.lastError).toBeUndefined();
      expect(await store.job('held')).toMatchObject({ lockedBy: 'ours' });
    });
  });

  describe('A worker that is alive', () => {
    it('takes back what a late claim has taken under its name, and counts no crash', async () => {
      await store.client.enqueue(KIND, null, { id: 'late' });
      await store.queue.claim([KIND], 1, { workerId: 'ours', leaseMs: 0, alone: true });
      await store.work({ [KIND]: () => 'ran' }, { workerId: 'ours', leaseMs: 1_000, maxCrashes: 1 });
      expect(await store.ended('late')).toMatchObject({ status: 'DONE', crashes: 0, attemptsDone: 1 });
      expect(store.logged('log', 'Gave back 1 jobs')).toBe(true);
    });
  });

  describe('4. DONE, FAILED and PANIC are terminal', () => {
    it.each([
      ['DONE', DONE],
      ['FAILED', FAILED],
      ['PANIC', PANIC],
    ] as const)('nothing touches a %s job again', async (_status, outcome) => {
      const [job] = await claimed(1, SHORT);
      await settle(job!, outcome);
      const before = await store.job(job!.id);
      for (const late of [DONE, FAILED, PANIC, retry(0)]) expect(await settle(job!, late)).toBe('lost');
      expect(await renew(job!)).toBe('lost');
      await store.queue.release([job!]);
      expect(await store.queue.reclaim(1)).toEqual([]);
      expect(await store.queue.claim([KIND], 9, LONG)).toEqual([]);
      expect(await store.queue.dequeue([KIND], () => 'again')).toBe(false);
      expect(await store.job(job!.id)).toEqual(before);
    });
  });

  describe('9. A lease token that is not the newest changes nothing', () => {
    const takenOver = async (how: 'release' | 'reclaim' | 'retry') => {
      const [stale] = await claimed(1, how === 'reclaim' ? SHORT : LONG);
      if (how === 'release') await store.queue.release([stale!]);
      else if (how === 'retry') await settle(stale!, retry(0));
      else await store.reclaimed(1);
      return { stale: stale!, current: await store.claimOne({ ...LONG, workerId: 'other' }) };
    };

    it.each(['release', 'reclaim', 'retry'] as const)(
      'is refused by renew, settle and release after a %s and another claim',
      async (how) => {
        const { stale, current } = await takenOver(how);
        const before = await store.job(current.id);
        expect(await renew(stale)).toBe('lost');
        for (const outcome of [DONE, FAILED, PANIC, retry(0)]) {
          expect(await settle(stale, outcome)).toBe('lost');
        }
        await store.queue.release([stale]);
        expect(await store.job(current.id)).toEqual(before);
        expect(await settle(current, DONE)).toBe('written');
      },
    );

    it('is refused while no worker has the job', async () => {
      const [job] = await claimed();
      await store.queue.release([job!]);
      const before = await store.job(job!.id);
      expect(await renew(job!)).toBe('lost');
      expect(await settle(job!, FAILED)).toBe('lost');
      await store.queue.release([job!]);
      expect(await store.job(job!.id)).toEqual(before);
      expect((await store.claimOne()).id).toBe(job!.id);
    });

    it('is refused even if the newest token of the same job is in the same list', async () => {
      const { stale, current } = await takenOver('release');
      const leases = [stale, current].map((job) => ({ ...job, alone: false }));
      expect(await store.queue.renew(leases, 60_000)).toEqual(['lost', 'written']);
      const settlements = [
        { ...stale, outcome: FAILED },
        { ...current, outcome: DONE },
      ];
      expect(await store.queue.settle(settlements)).toEqual(['lost', 'written']);
      expect(await store.job(current.id)).toMatchObject({ status: 'DONE', attemptsDone: 1 });
    });

    it('is stale if the row has a smaller one, and refused if it belongs to another job', async () => {
      const [job, other] = await claimed(2);
      expect(await settle({ ...job!, leaseToken: job!.leaseToken + 1 }, DONE)).toBe('stale');
      expect(await store.job(job!.id)).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      await store.queue.release([other!]);
      await store.claimOne();
      expect(await settle({ ...other!, leaseToken: job!.leaseToken }, DONE)).toBe('lost');
      expect(await settle(job!, DONE)).toBe('written');
    });
  });

  describe('A call that rejected may be repeated', () => {
    it('an outcome that was already written is answered "lost"', async () => {
      const [job] = await claimed();
      expect(await settle(job!, retry(0))).toBe('written');
      expect(await settle(job!, retry(0))).toBe('lost');
      expect(await store.job(job!.id)).toMatchObject({ attemptsDone: 1 });
    });
  });

  describe('renew', () => {
    it('lets each lease end leaseMs from now, and changes nothing else', async () => {
      const [job, other] = await claimed(2);
      const before = await store.job(job!.id);
      expect(await renew(job!, 3_600_000)).toBe('written');
      const after = await store.job(job!.id);
      expect(after).toEqual({ ...before, lockedUntil: expect.any(Date) });
      const gained = after.lockedUntil!.getTime() - before.lockedUntil!.getTime();
      expect(gained).toBeGreaterThanOrEqual(3_600_000 - LONG.leaseMs - 1);
      expect(gained).toBeLessThan(3_600_000 - LONG.leaseMs + 10_000);
      expect((await store.job(other!.id)).lockedUntil).toEqual(other!.lockedUntil);
    });

    it('may be called repeatedly', async () => {
      const [job] = await claimed();
      for (let n = 0; n < 3; n++) expect(await renew(job!)).toBe('written');
      expect(await store.job(job!.id)).toMatchObject({ attemptsDone: 0, lockedBy: LONG.workerId });
    });

    it('can also shorten a lease', async () => {
      const [job] = await claimed();
      expect(await renew(job!, 0)).toBe('written');
      expect(await store.reclaimed(1)).toMatchObject([{ id: job!.id }]);
    });

    it('answers in the order given', async () => {
      const jobs = await claimed(3);
      await settle(jobs[1]!, DONE);
      const leases = [2, 1, 0].map((index) => ({ ...jobs[index]!, alone: false }));
      expect(await store.queue.renew(leases, 60_000)).toEqual(['written', 'lost', 'written']);
    });
  });

  describe('An expired lease belongs to its holder until it is reclaimed', () => {
    it('so a late renewal is accepted', async () => {
      const [job] = await claimed(1, SHORT);
      expect(await renew(job!)).toBe('written');
      expect(await store.queue.reclaim(3)).toEqual([]);
    });

    it('so a late outcome is accepted', async () => {
      const [job] = await claimed(1, SHORT);
      expect(await settle(job!, DONE)).toBe('written');
      expect(await store.job(job!.id)).toMatchObject({ status: 'DONE', crashes: 0, attemptsDone: 1 });
    });

    it('and the job cannot be claimed until then', async () => {
      await claimed(1, SHORT);
      expect(await store.queue.claim([KIND], 9, LONG)).toEqual([]);
      await store.reclaimed(1);
      expect(await store.queue.claim([KIND], 9, LONG)).toHaveLength(1);
    });
  });

  describe('release', () => {
    it('gives jobs back as if they had never been claimed', async () => {
      const [before] = await store.client.enqueueMany([{ kind: KIND, payload: 1, priority: 3 }]);
      await store.queue.release([await store.claimOne()]);
      expect(await store.job(before!.id)).toEqual({
        ...before,
        enqueued: undefined,
        updatedAt: expect.any(Date),
      });
      expect(await store.claimOne()).toMatchObject({ id: before!.id, attemptsDone: 0 });
    });

    it('passes over lost leases and gives back the others', async () => {
      const jobs = await claimed(3);
      await settle(jobs[0]!, DONE);
      await store.queue.release([...jobs, { id: 'nobody', leaseToken: 1, lockedBy: LONG.workerId }]);
      const ready = await store.queue.claim([KIND], 9, LONG);
      expect(ready.map(({ id }) => id)).toEqual(['job 1', 'job 2']);
    });
  });

  describe('releaseUnheld', () => {
    it("gives back only jobs that are claimed in the worker's name and not held", async () => {
      const mine = await claimed(3, { ...LONG, workerId: 'mine' });
      await store.client.enqueue('other');
      const theirs = await store.claimOne({ ...LONG, workerId: 'theirs' }, 'other');
      expect(await store.queue.releaseUnheld('mine', [mine[1]!])).toBe(2);
      const again = await store.queue.claim([KIND, 'other'], 9, LONG);
      expect(again.map(({ id }) => id)).toEqual([mine[0]!.id, mine[2]!.id]);
      expect(again).toMatchObject([{ attemptsDone: 0, crashes: 0, leaseToken: 2 }, { leaseToken: 2 }]);
      expect(
        await store.queue.renew(
          [mine[1]!, theirs].map((job) => ({ ...job, alone: false })),
          60_000,
        ),
      ).toEqual(['written', 'written']);
    });

    it('finds nothing if all jobs are held or settled', async () => {
      const [held, ended] = await claimed(2, { ...LONG, workerId: 'mine' });
      await store.queue.settle([{ ...ended!, outcome: { type: 'failed', lastError: 'x' } }]);
      expect(await store.queue.releaseUnheld('mine', [held!])).toBe(0);
      expect(await store.job(ended!.id)).toMatchObject({ status: 'FAILED' });
    });
  });

  describe('5, 8. reclaim takes the jobs of dead workers', () => {
    it('counts an attempt and a crash, stores why, and makes the job ready', async () => {
      const [job] = await claimed(1, { ...SHORT, workerId: 'the dead' });
      const expected = { id: job!.id, kind: KIND, workerId: 'the dead', crashes: 1, status: 'PENDING' };
      expect(await store.reclaimed(1)).toEqual([expected]);
      const after = await store.job(job!.id);
      expect(after).toMatchObject({ status: 'PENDING', attemptsDone: 1, crashes: 1 });
      expect(after.lastError).toMatch(/worker the dead .*ran out at \d{4}-.*\.\d{3}Z .*crash 1 of 3/);
      const ranOut = new Date(/ran out at (\S+)/.exec(after.lastError!)![1]!).getTime();
      expect(Math.abs(ranOut - job!.lockedUntil.getTime())).toBeLessThanOrEqual(1);
      expect(lastHeartbeatIn(after)).toBeCloseTo(after.lastAttemptAt!.getTime(), -1);
      expect(isUnlocked(after)).toBe(true);
      expect(await store.claimOne()).toMatchObject({ id: job!.id, attemptsDone: 1, crashes: 1 });
    });

    it('takes jobs of every kind, and leaves live leases alone', async () => {
      await store.client.enqueueMany(['a', 'b', 'c'].map((kind) => ({ kind, id: kind })));
      await store.claimOne(SHORT, 'a');
      await store.claimOne(LONG, 'b');
      await store.claimOne(SHORT, 'c');
      expect((await store.reclaimed(2)).map(({ id }) => id).toSorted()).toEqual(['a', 'c']);
      expect(await store.job('b')).toMatchObject({ attemptsDone: 0, lockedBy: LONG.workerId });
    });

    it('passes over jobs that the caller holds, even if their leases have run out', async () => {
      const jobs = await claimed(3, SHORT);
      const [own] = jobs;
      const others = jobs.slice(1).map(({ id }) => id);
      const taken: string[] = [];
      const reclaim = async () => {
        for (const { id } of await store.queue.reclaim(3, () => [own!])) taken.push(id);
        return taken.length >= others.length;
      };
      await until(reclaim);
      expect(taken.toSorted()).toEqual(others.toSorted());
      expect(await store.job(own!.id)).toMatchObject({ crashes: 0, lockedBy: SHORT.workerId });
      expect(await store.reclaimed(1)).toMatchObject([{ id: own!.id }]);
    });

    it('counts each crash once, even if many callers reclaim at the same time', async () => {
      const jobs = await claimed(50, SHORT);
      const { lockedUntil } = jobs[0]!;
      while (Date.now() <= lockedUntil.getTime() + 5) await store.queue.get('nobody');
      const all = await Promise.all(Array.from({ length: 8 }, () => store.queue.reclaim(3)));
      expect(all.flat().length).toBeLessThanOrEqual(50);
      await store.queue.reclaim(3);
      for (const { id } of jobs) {
        expect(await store.job(id)).toMatchObject({ crashes: 1, attemptsDone: 1 });
      }
    });

    it('takes all expired jobs in one call', async () => {
      const jobs = await claimed(2_500, SHORT);
      const { lockedUntil } = jobs.at(-1)!;
      while (Date.now() <= lockedUntil.getTime() + 5) await store.queue.get('nobody');
      const all = await store.queue.reclaim(3);
      expect(new Set(all.map(({ id }) => id)).size).toBe(2_500);
    });

    it('reports when the last heartbeat was', async () => {
      const [job] = await claimed(1, LONG);
      const before = job!.lockedUntil.getTime() - LONG.leaseMs;
      await until(() => Date.now() > before + 50);
      await store.queue.renew([{ ...job!, alone: false }], 0);
      await store.reclaimed(1);
      expect(lastHeartbeatIn(await store.job(job!.id))).toBeGreaterThan(before + 40);
    });

    const crash = async (alone: boolean, maxCrashes = 3) => {
      const jobs = await store.queue.claim([KIND], 9, { ...SHORT, alone });
      return store.reclaimed(jobs.length, maxCrashes);
    };

    it('convicts a job that ran alone when its worker died for the maxCrashes-th time', async () => {
      await stored(1);
      expect(await crash(true)).toMatchObject([{ crashes: 1, status: 'PENDING' }]);
      expect(await crash(true)).toMatchObject([{ crashes: 2, status: 'PENDING' }]);
      expect(await crash(true)).toMatchObject([{ crashes: 3, status: 'PANIC' }]);
      const job = await store.job('job 0');
      expect(job).toMatchObject({ status: 'PANIC', crashes: 3, attemptsDone: 3 });
      expect(job.lastError).toMatch(/^panic: the worker .*ran alone .*crash 3 of 3/);
    });

    it('never convicts a job that ran beside others, no matter how often', async () => {
      await stored(3);
      for (let crashes = 1; crashes <= 5; crashes++) {
        const all = await crash(false);
        expect(all.map(({ status }) => status)).toEqual(['PENDING', 'PENDING', 'PENDING']);
      }
      expect(await store.job('job 1')).toMatchObject({ status: 'PENDING', crashes: 5, attemptsDone: 5 });
      expect((await store.job('job 1')).lastError).not.toContain('panic');
    });

    it('convicts the one job that ran alone among several expired ones', async () => {
      const jobs = await claimed(3);
      const leases = jobs.map((job) => ({ ...job, alone: job.id === 'job 1' }));
      await store.queue.renew(leases, 0);
      const all = await store.reclaimed(3, 1);
      expect(all.filter(({ status }) => status === 'PANIC').map(({ id }) => id)).toEqual(['job 1']);
    });

    it('forgets at the next claim that a job ran alone', async () => {
      await stored(1);
      await store.queue.release([await store.claimOne({ ...LONG, alone: true })]);
      await store.claimOne(SHORT);
      expect(await store.reclaimed(1, 1)).toMatchObject([{ status: 'PENDING' }]);
    });
  });
}

function lastHeartbeatIn({ lastError }: Job): number {
  return new Date(/last heartbeat was at (\S+),/.exec(lastError!)![1]!).getTime();
}

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../lib/async/deferred.js';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import { KindExistsError, LeaseLostError, UnknownKindError } from '../../lib/job/errors.js';
import { HandlerRegistry } from '../../lib/execution/handler-registry.js';
import type { JobContext, ReclaimedJob } from '../../lib/job/job.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, withMethods, type Store } from '../support/store.js';

const SHORT_LEASE = { leaseMs: 400, heartbeatMs: 100 };

/** The worker's part of promises 5 (jobs that kill their worker), 6, 8, 9 and 12. */
export function workerContract(store: Store): void {
  const enqueue = async (id: string, kind = KIND) => {
    await store.client.enqueue(kind, null, { id });
  };
  const failure = () => Promise.reject(new Error('connection lost'));

  describe('6. Kinds', () => {
    it('with two handlers are refused, and the error names both', () => {
      const registry = new HandlerRegistry();
      registry.add({ kind: KIND, run: () => 1, options: {}, declaredAt: 'First.run' });
      const add = () =>
        registry.add({ kind: ` ${KIND} `, run: () => 2, options: {}, declaredAt: 'Second.go' });
      expect(add).toThrow(KindExistsError);
      expect(add).toThrow(/First\.run.*Second\.go/);
    });

    it('without a handler are refused by a client that knows its kinds, and nothing is written', async () => {
      const client = store.clientOf(store.queue, ['a', 'b']);
      await expect(client.enqueue('c')).rejects.toBeInstanceOf(UnknownKindError);
      const refusal = client.enqueueMany([{ kind: 'a', id: 'one' }, { kind: 'c' }, { kind: 'b' }]);
      await expect(refusal).rejects.toMatchObject({ kind: 'c', knownKinds: ['a', 'b'] });
      expect(await client.get('one')).toBeNull();
      expect(await client.enqueue(' b ')).toMatchObject({ kind: 'b' });
    });

    it('that a worker does not serve wait for one that does', async () => {
      await enqueue('newer', 'newer kind');
      await enqueue('ours');
      await store.work({ [KIND]: () => 'fine' });
      await store.ended('ours');
      await enqueue('ours too');
      await store.ended('ours too');
      expect(await store.job('newer')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      await store.work({ 'newer kind': () => 'fine' });
      expect(await store.ended('newer')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
    });

    it("are served according to the worker's own list", async () => {
      await enqueue('a', 'a');
      await enqueue('b', 'b');
      const worker = await store.work({ a: () => 'fine', b: () => 'fine' }, { kinds: ['b'] });
      expect(worker.kinds).toEqual(['b']);
      await store.ended('b');
      expect(await store.job('a')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
    });

    it('on that list without a handler are left alone', async () => {
      await enqueue('a', 'a');
      await enqueue('b', 'b');
      const worker = await store.work({ b: () => 'fine' }, { kinds: ['a', ' b ', 'b'] });
      expect(worker.kinds).toEqual(['b']);
      expect(await store.ended('b')).toMatchObject({ status: 'DONE' });
      expect(await store.job('a')).toMatchObject({
        status: 'PENDING',
        attemptsDone: 0,
      });
    });

    it('are shared by two workers if jobs take long, because neither claims more ahead than it will start soon', async () => {
      const ran = [0, 0];
      const jobs = await store.client.enqueueMany(Array.from({ length: 60 }, () => ({ kind: KIND })));
      for (const index of [0, 1]) {
        const run = async () => {
          ran[index]! += 1;
          await sleep(300);
        };
        await store.work({ [KIND]: run }, { concurrency: 10 });
      }
      await until(() => ran[0]! + ran[1]! === jobs.length, { what: 'all jobs are started' });
      expect(Math.min(...ran)).toBeGreaterThanOrEqual(15); // of 30
    });

    it('run as many jobs at once as the worker and the handler allow', async () => {
      await store.client.enqueueMany(
        Array.from({ length: 40 }, (_, n) => ({ kind: n % 2 ? 'few' : 'many' })),
      );
      const [now, most] = [new Map<string, number>(), new Map<string, number>()];
      const count = (key: string, by: number) => {
        now.set(key, (now.get(key) ?? 0) + by);
        most.set(key, Math.max(most.get(key) ?? 0, now.get(key)!));
      };
      let ended = 0;
      const run: HandlerFn = async ({ kind }) => {
        for (const key of [kind, 'all']) count(key, 1);
        await sleep(5);
        for (const key of [kind, 'all']) count(key, -1);
        ended += 1;
      };
      await store.work({ many: run, few: { run, options: { concurrency: 2 } } }, { concurrency: 5 });
      await until(() => ended === 40);
      expect(most.get('all')).toBe(5);
      expect(most.get('few')).toBeLessThanOrEqual(2);
    });
  });

  describe('8. A failing heartbeat', () => {
    /** A worker over a queue whose renewals fail while `fails` says so. */
    const workWith = async (fails: () => boolean, handler: HandlerFn, leaseMs: number) => {
      let failed = 0;
      const queue = withMethods(store.queue, {
        renew: (...renewal) => {
          if (!fails()) return store.queue.renew(...renewal);
          failed += 1;
          return failure();
        },
      });
      await enqueue('beating');
      const settings = { leaseMs, heartbeatMs: leaseMs / 8, pollIntervalMs: 60_000 };
      const startedAt = performance.now(); // no lease begins before
      const worker = await store.work({ [KIND]: handler }, settings, queue);
      return { worker, failures: () => failed, startedAt };
    };

    it('is retried, and the handler does not notice if a retry succeeds in time', async () => {
      const leaseMs = 2_500;
      let calls = 0;
      const { failures } = await workWith(
        () => ++calls <= 4,
        async (_job, { signal }) => {
          const begun = performance.now();
          await until(() => performance.now() - begun > 1.2 * leaseMs);
          return signal.aborted;
        },
        leaseMs,
      );
      expect(await store.ended('beating')).toMatchObject({ status: 'DONE', result: false, attemptsDone: 1 });
      expect(failures()).toBe(4);
      expect(store.logged('warn', 'Could not renew')).toBe(true);
    });

    it('aborts the signal with LeaseLostError when the lease has really ended, and not before', async () => {
      let context: JobContext | undefined;
      let abortedAt = 0;
      const { failures, startedAt } = await workWith(
        () => true,
        (_job, given) => {
          if (context !== undefined) return 'ran again';
          context = given;
          return new Promise((_resolve, reject) => {
            given.signal.addEventListener('abort', () => {
              abortedAt = performance.now();
              reject(given.signal.reason as Error);
            });
          });
        },
        800,
      );
      await until(() => abortedAt > 0);
      expect(context!.signal.reason).toBeInstanceOf(LeaseLostError);
      expect(context!.signal.reason).toMatchObject({ jobId: 'beating' });
      expect(abortedAt - startedAt).toBeGreaterThanOrEqual(800);
      expect(failures()).toBeGreaterThanOrEqual(4);
      // An error that the handler throws after that does not count. The crash is counted, and the job runs again.
      const job = await store.ended('beating');
      expect(job).toMatchObject({ status: 'DONE', result: 'ran again', crashes: 1, attemptsDone: 2 });
      expect(job.lastError).toContain('stopped renewing the lease');
    });
  });

  it('runs one job at a time for a while after one has blocked the event loop for longer than a heartbeat', async () => {
    const leaseMs = 2_500;
    let blockedUntil: number | undefined;
    let running = 0;
    /** How many have run at once after the block, by whether that was within the time of a lease. */
    const most = { soon: 0, later: 0 };
    let ranSoon = 0;
    const runs: HandlerFn = async () => {
      const when = performance.now() - blockedUntil! < leaseMs ? 'soon' : 'later';
      most[when] = Math.max(most[when], ++running);
      if (when === 'soon') ranSoon += 1;
      await sleep(5);
      running -= 1;
    };
    const blocks = () => {
      block(300);
      blockedUntil = performance.now();
    };
    await enqueue('first', 'blocks');
    await store.work({ blocks, [KIND]: runs }, { leaseMs, heartbeatMs: 100 });
    // On a busy machine the warning may have come earlier.
    await until(() => blockedUntil !== undefined && store.logged('warn', 'The event loop was blocked'));
    const enqueueMore = async () => {
      await store.client.enqueueMany(Array.from({ length: 8 }, () => ({ kind: KIND })));
      return most.later > 1;
    };
    await until(enqueueMore, { what: '"several jobs run at once again"' });
    expect(ranSoon).toBeGreaterThan(1);
    expect(most.soon).toBe(1);
  });

  describe('9. A worker that froze past its lease', () => {
    it('changes nothing when it wakes up: its outcome is refused, and the refusal is logged', async () => {
      await enqueue('frozen');
      let wakeUp!: (value: unknown) => void;
      const frozen = new Promise((resolve) => (wakeUp = resolve));
      let lease: JobContext | undefined;
      const handler: HandlerFn = async (_job, context) => {
        lease = context;
        await frozen;
        return 'late';
      };
      const worker = await store.work({ [KIND]: handler }, { concurrency: 1 }); // so that it does not claim it again
      await until(() => lease !== undefined);
      const { leaseToken, workerId: lockedBy } = lease!;
      const isReclaimed = async () => {
        await store.queue.renew([{ id: 'frozen', leaseToken, lockedBy, alone: false }], 0);
        return (await store.queue.reclaim(3)).length === 1;
      };
      await until(isReclaimed); // a heartbeat of the worker may come between the two
      const current = await store.claimOne();
      wakeUp(undefined);
      await until(() => store.logged('warn', 'refused: its lease is lost'));
      expect(store.logs.find(({ message }) => message.includes('refused'))!.message).toMatch(
        /frozen \(kind mail, attempt 1\)/,
      );
      expect(await store.job('frozen')).toMatchObject({ status: 'PENDING', attemptsDone: 1 });
      await store.queue.settle([{ ...current, outcome: { type: 'failed', lastError: 'the other' } }]);
      await worker.stop();
      expect(await store.job('frozen')).toMatchObject({ status: 'FAILED', lastError: 'the other' });
    });

    it('does not reclaim its own job, even if it finds the lease expired', async () => {
      const { leaseMs } = SHORT_LEASE;
      let isRunning = false;
      let isBlocked = false;
      // The handlers block the process between the worker's last renewal and its reclaim.
      const queue = withMethods(store.queue, {
        reclaim: (maxCrashes, held) => {
          const heldAfterBlock = () => {
            if (isRunning && !isBlocked) block(2 * leaseMs);
            isBlocked ||= isRunning;
            return held!();
          };
          return store.queue.reclaim(maxCrashes, heldAfterBlock);
        },
      });
      await enqueue('own');
      const handler: HandlerFn = async () => {
        isRunning = true;
        await until(() => isBlocked);
        await sleep(leaseMs / 2);
      };
      await store.work({ [KIND]: handler }, SHORT_LEASE, queue);
      expect(await store.ended('own')).toMatchObject({ status: 'DONE', attemptsDone: 1, crashes: 0 });
    });

    it('does not reclaim a job whose outcome it still has to write', async () => {
      await enqueue('ended');
      let isAway = true;
      let reclaims = 0;
      const queue = withMethods(store.queue, {
        settle: (settlements) => (isAway ? failure() : store.queue.settle(settlements)),
        renew: (...renewal) => (isAway ? failure() : store.queue.renew(...renewal)),
        reclaim: async (...reclaim) => {
          const reclaimed = await store.queue.reclaim(...reclaim);
          reclaims += 1;
          return reclaimed;
        },
      });
      let runs = 0;
      await store.work({ [KIND]: () => (runs += 1) }, SHORT_LEASE, queue);
      await until(() => store.logged('warn', 'The lease of job ended'));
      const before = reclaims;
      await until(() => reclaims >= before + 2); // one may have been under way
      isAway = false;
      expect(await store.ended('ended')).toMatchObject({ status: 'DONE', attemptsDone: 1, crashes: 0 });
      expect(runs).toBe(1);
    });

    it('does not start a job that another worker took before the answer to its claim came', async () => {
      await store.client.enqueueMany([
        { kind: KIND, id: 'taken', priority: 1 },
        { kind: KIND, id: 'next', priority: 2 },
      ]);
      let isTaken = false;
      const queue = withMethods(store.queue, {
        claim: async (...claim) => {
          const jobs = await store.queue.claim(...claim);
          if (!isTaken && jobs.length > 0) {
            await sleep(SHORT_LEASE.leaseMs);
            await store.reclaimed(1);
            await store.claimOne();
            isTaken = true;
          }
          return jobs;
        },
        reclaim: async () => [],
      });
      const started: string[] = [];
      await store.work(
        { [KIND]: ({ id }) => void started.push(id) },
        { ...SHORT_LEASE, concurrency: 1 },
        queue,
      );
      expect(await store.ended('next')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(started).toEqual(['next']);
      expect(await store.job('taken')).toMatchObject({
        status: 'PENDING',
        lockedBy: LONG.workerId,
        crashes: 1,
      });
    });

    it('aborts the signal at the next heartbeat if another worker has the job', async () => {
      await enqueue('taken');
      const taken = deferred<string>();
      let context: JobContext | undefined;
      const handler: HandlerFn = (_job, given) => {
        context ??= given;
        return taken.promise; // until then the worker has no room, and does not claim the job again
      };
      const settings = { leaseMs: 10_000, heartbeatMs: 100, concurrency: 1 };
      await store.work({ [KIND]: handler }, settings);
      await until(() => context !== undefined);
      await store.queue.release([
        { id: 'taken', leaseToken: context!.leaseToken, lockedBy: context!.workerId },
      ]);
      await store.claimOne();
      await until(() => context!.signal.aborted);
      expect(context!.signal.reason).toBeInstanceOf(LeaseLostError);
      taken.resolve('stopped');
      await until(() => store.logged('warn', 'refused'));
      expect(await store.job('taken')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
    });
  });

  describe('5, 8. A job that kills its worker', () => {
    const crashTwice = async (...ids: string[]) => {
      for (const id of ids) await enqueue(id);
      for (let n = 0; n < 2; n++) {
        await store.queue.claim([KIND], ids.length, SHORT);
        await store.reclaimed(ids.length);
      }
    };

    it('runs alone once its next crash would be its last, and so do its neighbors', async () => {
      await crashTwice('suspect 1', 'suspect 2');
      await store.client.enqueueMany(Array.from({ length: 30 }, () => ({ kind: KIND })));
      let running = 0;
      const beside = new Map<string, number>();
      const handler: HandlerFn = async ({ id }) => {
        running += 1;
        for (let n = 0; n < 4; n++) {
          beside.set(id, Math.max(beside.get(id) ?? 0, running));
          await sleep(3);
        }
        running -= 1;
      };
      await store.work({ [KIND]: handler });
      await until(() => beside.size === 32);
      expect(beside.get('suspect 1')).toBe(1);
      expect(beside.get('suspect 2')).toBe(1);
      expect(Math.max(...beside.values())).toBeGreaterThan(1);
      expect(await store.ended('suspect 1')).toMatchObject({ status: 'DONE', crashes: 2, attemptsDone: 3 });
    });

    it('ends as PANIC, but the jobs beside it do not', async () => {
      await crashTwice('poison', 'innocent');
      // This worker "dies" in the poison job: after that it renews and settles nothing.
      let dead = false;
      const dying = withMethods(store.queue, {
        renew: (...renewal) => (dead ? failure() : store.queue.renew(...renewal)),
        settle: (settlements) => (dead ? failure() : store.queue.settle(settlements)),
        claim: (...claim) => (dead ? failure() : store.queue.claim(...claim)),
        reclaim: (maxCrashes) => (dead ? failure() : store.queue.reclaim(maxCrashes)),
      });
      const handler: HandlerFn = ({ id }, { signal }) => {
        if (id !== 'poison') return 'fine';
        dead = true;
        return new Promise((resolve) => signal.addEventListener('abort', resolve));
      };
      await store.work({ [KIND]: handler }, { leaseMs: 300, shutdownTimeoutMs: 0 }, dying);
      await until(() => dead);
      const reports: ReclaimedJob[] = [];
      const isReported = () => reports.some(({ id }) => id === 'poison');
      await until(async () => (reports.push(...(await store.queue.reclaim(3))), isReported()));
      expect(reports).toContainEqual(expect.objectContaining({ id: 'poison', status: 'PANIC', crashes: 3 }));
      expect(reports).not.toContainEqual(expect.objectContaining({ id: 'innocent', status: 'PANIC' }));
      expect(await store.job('poison')).toMatchObject({ status: 'PANIC', crashes: 3, attemptsDone: 3 });
      expect((await store.job('poison')).lastError).toMatch(/^panic: /);
      dead = false;
      await store.work({ [KIND]: () => 'fine' });
      expect(await store.ended('innocent')).toMatchObject({ status: 'DONE' });
    });

    it('is reclaimed by another worker that finds its lease expired', async () => {
      await enqueue('orphan');
      await store.claimOne({ workerId: 'dead', leaseMs: 200 });
      await store.work({ [KIND]: () => 'saved' }, { leaseMs: 400 });
      expect(await store.ended('orphan')).toMatchObject({ status: 'DONE', attemptsDone: 2, crashes: 1 });
      expect(store.logged('warn', 'Job orphan (kind mail) lost its worker dead')).toBe(true);
    });
  });

  describe('12. The outcome of a handler and a failed settle are different things', () => {
    it('a failed settle is retried until it is written, and the handler runs once', async () => {
      let failures = 4;
      const queue = withMethods(store.queue, {
        settle: (settlements) => (failures-- > 0 ? failure() : store.queue.settle(settlements)),
      });
      await enqueue('one');
      let runs = 0;
      await store.work({ [KIND]: () => ++runs }, {}, queue);
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', result: 1, attemptsDone: 1 });
      expect(runs).toBe(1);
      expect(store.logged('warn', 'Could not write the outcome of job one (kind mail, attempt 1)')).toBe(
        true,
      );
    });

    it('an outcome whose answer was lost is written once', async () => {
      let losses = 2;
      const queue = withMethods(store.queue, {
        settle: async (settlements) => {
          const answers = await store.queue.settle(settlements);
          return losses-- > 0 ? failure() : answers;
        },
      });
      await enqueue('one');
      let runs = 0;
      const run = () => {
        runs += 1;
        throw new Error('no');
      };
      const worker = await store.work(
        { [KIND]: { run, options: { maxAttempts: 2, backoff: () => 0 } } },
        {},
        queue,
      );
      expect(await store.ended('one')).toMatchObject({ status: 'FAILED', attemptsDone: 2 });
      await worker.stop();
      expect(runs).toBe(2);
    });

    it('an outcome whose answer was lost is no lost lease where that is to be renewed before it is sent again', async () => {
      const renewed: unknown[] = [];
      let isSent = false;
      const queue = withMethods(store.queue, {
        settle: async (settlements) => {
          if (isSent) await until(() => renewed.includes('lost'));
          const answers = await store.queue.settle(settlements);
          if (isSent) return answers;
          isSent = true;
          return failure();
        },
        renew: async (...renewal) => {
          const answers = await store.queue.renew(...renewal);
          renewed.push(...answers);
          return answers;
        },
      });
      await enqueue('one');
      const worker = await store.work({ [KIND]: () => 'fine' }, { leaseMs: 9_000, heartbeatMs: 100 }, queue);
      await until(() => renewed.includes('lost'));
      await worker.stop();
      expect(await store.job('one')).toMatchObject({ status: 'DONE', result: 'fine', attemptsDone: 1 });
      expect(store.logged('debug', 'was written by a try whose answer did not come')).toBe(true);
      expect(store.logged('warn', 'is lost')).toBe(false);
    });

    it('a busy row is retried', async () => {
      let busy = 2;
      const queue = withMethods(store.queue, {
        settle: async (settlements) =>
          busy-- > 0 ? settlements.map(() => 'busy' as const) : store.queue.settle(settlements),
      });
      await enqueue('one');
      await store.work({ [KIND]: () => 'fine' }, {}, queue);
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
    });

    it('a dequeue waits until its outcome is written', async () => {
      let failures = 2;
      const queue = withMethods(store.queue, {
        settle: (settlements) => (failures-- > 0 ? failure() : store.queue.settle(settlements)),
      });
      await enqueue('one');
      expect(await queue.dequeue([KIND], () => 'fine')).toBe(true);
      expect(await store.job('one')).toMatchObject({ status: 'DONE' });
    });

    it('a failed claim or reclaim is retried, and logged once', async () => {
      let failures = 3;
      const queue = withMethods(store.queue, {
        claim: (...claim) => (failures-- > 0 ? failure() : store.queue.claim(...claim)),
        reclaim: (maxCrashes) => (failures-- > 0 ? failure() : store.queue.reclaim(maxCrashes)),
      });
      await enqueue('one');
      await store.work({ [KIND]: () => 'fine' }, { leaseMs: 1_000 }, queue);
      expect(await store.ended('one')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      expect(store.logs.filter(({ level }) => level === 'error').length).toBeLessThanOrEqual(1);
    });

    it('an outcome that can never be written is left to others once its lease has run out', async () => {
      let broken = true;
      const queue = withMethods(store.queue, {
        settle: (settlements) => (broken ? failure() : store.queue.settle(settlements)),
        renew: failure,
        reclaim: async () => [],
      });
      await enqueue('one');
      const settings = { leaseMs: 300, shutdownTimeoutMs: 0, pollIntervalMs: 60_000 };
      const worker = await store.work({ [KIND]: () => 'lost' }, settings, queue);
      await until(() => store.logged('warn', 'Could not write the outcome'));
      await store.reclaimed(1);
      expect(await store.claimOne(LONG)).toMatchObject({ id: 'one', attemptsDone: 1, crashes: 1 });
      broken = false;
      await worker.stop();
      expect(await store.job('one')).toMatchObject({ status: 'PENDING', attemptsDone: 1 });
    });
  });
}

/** Blocks the event loop. */
function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

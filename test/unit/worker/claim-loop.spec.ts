import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred, type Deferred } from '../../../lib/async/deferred.js';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import { Executor } from '../../../lib/execution/executor.js';
import { AttemptFactory, HandlerRegistry } from '../../../lib/execution/handler-registry.js';
import { pendingSettlement, type HeldJob } from '../../../lib/execution/held-job.js';
import type { ClaimedJob } from '../../../lib/job/job.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import type { WakeListener } from '../../../lib/queue/job-queue.js';
import type { Lease, LeaseTerms } from '../../../lib/queue/lease.js';
import { ClaimLoop } from '../../../lib/worker/claim-loop.js';
import { claimedJob, FAKE_TIMERS, FakeQueue, heard, heldJob, POLICY, turn } from '../fakes.js';

const KINDS = ['mail', 'report'];
const LIMITS = { kinds: KINDS, kindLimits: new Map(), concurrency: 2 };
const LEASES = { leaseMs: 30_000, heartbeatMs: 10_000 };
const SETTINGS = { workerId: 'w', pollIntervalMs: 1_000, leaseMs: 30_000, maxCrashes: 3, ...LIMITS };
const DONE: Outcome = { type: 'done', result: { json: null, bytes: null } };

/** Gives out the jobs that are ready. */
class Storage extends FakeQueue {
  readonly ready: ClaimedJob[] = [];
  readonly claims: { readonly limit: number; readonly terms: LeaseTerms }[] = [];
  readonly unheld: string[][] = [];
  listener!: WakeListener;

  claim = (_kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> => {
    this.claims.push({ limit, terms });
    return Promise.resolve(this.ready.splice(0, limit));
  };

  releaseUnheld = (_workerId: string, held: readonly Lease[]): Promise<number> => {
    this.unheld.push(held.map(({ id }) => id));
    return Promise.resolve(0);
  };

  watch = (watching: WakeListener): (() => void) => {
    this.listener = watching;
    return () => undefined;
  };
}

describe('ClaimLoop', () => {
  let storage: Storage;
  let events: JobsEvents;
  let executor: Executor;
  let handlers: Deferred<void>[];
  let isBlocked: boolean;
  let loop: ClaimLoop;

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    storage = new Storage();
    events = new JobsEvents();
    executor = new Executor(storage, LEASES, events);
    [handlers, isBlocked] = [[], false];
    const registry = new HandlerRegistry();
    for (const kind of KINDS) registry.add({ kind, run, options: {}, declaredAt: 'Test.run' });
    const attempts = new AttemptFactory(registry, POLICY);
    const monitor = {
      get isBlocked() {
        return isBlocked;
      },
    };
    loop = new ClaimLoop(storage, executor, attempts, monitor, SETTINGS, events);
  });

  afterEach(async () => {
    for (const handler of handlers) handler.resolve();
    await stopped();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  function run(): Promise<void> {
    const handler = deferred();
    handlers.push(handler);
    return handler.promise;
  }

  async function start(): Promise<void> {
    loop.start();
    await jest.advanceTimersByTimeAsync(0);
  }

  async function stopped(): Promise<void> {
    const stop = loop.stop();
    await jest.advanceTimersByTimeAsync(100);
    await stop;
  }

  it('claims at once when it is woken in the pause after a failure', async () => {
    await start();
    const claim = storage.claim;
    storage.claim = () => {
      claimsFailed += 1;
      return Promise.reject(new Error('connection lost'));
    };
    let claimsFailed = 0;
    loop.wake();
    while (claimsFailed < 8) await jest.advanceTimersByTimeAsync(100); // the pauses last for seconds by now
    storage.claim = claim;
    const before = storage.claims.length;
    loop.wake();
    await jest.advanceTimersByTimeAsync(10);
    expect(storage.claims.length).toBeGreaterThan(before);
  });

  describe('tells who wakes it whether it is about to claim', () => {
    it('kinds that it serves, while it is idle', async () => {
      await start();
      expect(storage.listener(['mail'])).toBe(true);
      expect(storage.listener(['report', 'mail'])).toBe(true);
      expect(storage.listener(['mail', 'other'])).toBe(false);
      expect(storage.listener(['other'])).toBe(false);
      expect(storage.listener(null)).toBe(false);
    });

    it('nothing, while a handler runs: another process may have nothing to do', async () => {
      await start();
      storage.ready.push(claimedJob());
      storage.listener(['mail']);
      await jest.advanceTimersByTimeAsync(0);
      expect(handlers).toHaveLength(1);
      expect(storage.listener(['mail'])).toBe(false);
      handlers[0]!.resolve();
      await jest.advanceTimersByTimeAsync(0);
      expect(storage.listener(['mail'])).toBe(true);
    });
  });

  describe('where outcomes wait to be written', () => {
    let unwritten: HeldJob[];

    /** Outcomes that are never accepted, so that they are never all written. */
    function leaveUnwritten(count: number, outcome = DONE): void {
      unwritten = Array.from({ length: count }, (_, n) => heldJob({ id: `unwritten-${n}` }));
      for (const job of unwritten) {
        executor.held.add(job);
        executor.held.settle(job, pendingSettlement(job, outcome));
      }
    }

    function written(count: number): void {
      for (const job of unwritten.splice(0, count)) executor.held.close(job);
    }

    it('claims while there are 3,000 of them', async () => {
      leaveUnwritten(3_000);
      await start();
      expect(storage.claims.length).toBeGreaterThan(0);
    });

    it('claims nothing while there are more, and goes on when there are fewer, though one is never written', async () => {
      leaveUnwritten(3_001);
      await start();
      await jest.advanceTimersByTimeAsync(60_000);
      expect(storage.claims).toEqual([]);
      written(3_000);
      await jest.advanceTimersByTimeAsync(100);
      expect(storage.claims.length).toBeGreaterThan(0);
    });

    it('claims nothing while they have more than 64 MiB together', async () => {
      const bytes = new Uint8Array(16 * 1024 * 1024);
      leaveUnwritten(5, { type: 'done', result: { json: null, bytes } });
      await start();
      await jest.advanceTimersByTimeAsync(10_000);
      expect(storage.claims).toEqual([]);
      written(1);
      await jest.advanceTimersByTimeAsync(100);
      expect(storage.claims.length).toBeGreaterThan(0);
    });

    it('says once that it waits, and once that it goes on', async () => {
      const [paused, resumed] = [heard(events, 'claimsPaused'), heard(events, 'claimsResumed')];
      leaveUnwritten(3_001);
      await start();
      await jest.advanceTimersByTimeAsync(60_000);
      expect(paused).toEqual([{ unwritten: 3_001, bytes: 0, since: undefined, error: undefined }]);
      expect(resumed).toEqual([]);
      written(3_001);
      await jest.advanceTimersByTimeAsync(60_000);
      expect([paused.length, resumed.length]).toEqual([1, 1]);
      expect(resumed[0]!.ms).toBeGreaterThanOrEqual(60_000);
    });

    it('says nothing of a moment, which a fast worker has now and then', async () => {
      const paused = heard(events, 'claimsPaused');
      leaveUnwritten(3_001);
      await start();
      await jest.advanceTimersByTimeAsync(500);
      written(3_001);
      await jest.advanceTimersByTimeAsync(5_000);
      expect(paused).toEqual([]);
    });

    it('ends while there are more', async () => {
      leaveUnwritten(3_001);
      await start();
      await jest.advanceTimersByTimeAsync(1_000);
      await stopped();
      written(3_001);
      await jest.advanceTimersByTimeAsync(60_000);
      expect(storage.claims).toEqual([]);
    });
  });

  describe('where the storage cannot be reached', () => {
    it('tries again, each time after a longer pause, and gives back what it was never told of', async () => {
      const [failed, recovered] = [heard(events, 'claimFailed'), heard(events, 'claimRecovered')];
      const { claim } = storage;
      const error = new Error('connection lost');
      storage.claim = () => Promise.reject(error);
      await start();
      expect(failed).toEqual([{ error, failures: 1, isNews: true }]);
      await jest.advanceTimersByTimeAsync(1_000);
      expect(failed.length).toBeGreaterThanOrEqual(3);
      expect(failed.length).toBeLessThanOrEqual(5);
      expect(recovered).toEqual([]);
      storage.claim = claim;
      await jest.advanceTimersByTimeAsync(5_000);
      expect(recovered).toEqual([{ failures: failed.length, isNews: true }]);
      // Before each claim that followed a failure, and again: a claim that was given up may be carried out later.
      expect(storage.unheld.length).toBeGreaterThanOrEqual(failed.length);
      await jest.advanceTimersByTimeAsync(60_000);
      const looks = storage.unheld.length;
      await jest.advanceTimersByTimeAsync(60_000);
      expect(storage.unheld).toHaveLength(looks);
    });

    it('leaves those alone that it holds when it gives back what it was never told of', async () => {
      storage.ready.push(claimedJob({ id: 'running' }));
      await start();
      expect(handlers).toHaveLength(1);
      const { claim } = storage;
      storage.claim = () => Promise.reject(new Error('connection lost'));
      loop.wake();
      await jest.advanceTimersByTimeAsync(0);
      storage.claim = claim;
      await jest.advanceTimersByTimeAsync(1_000);
      expect(storage.unheld).toEqual([['running']]);
    });
  });

  it('claims at once when it is started, and after that when it is woken or at each poll', async () => {
    await start();
    const claims = storage.claims.length;
    expect(claims).toBeGreaterThan(0);
    await jest.advanceTimersByTimeAsync(900);
    expect(storage.claims).toHaveLength(claims);
    loop.wake();
    await jest.advanceTimersByTimeAsync(0);
    expect(storage.claims).toHaveLength(claims + 1);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(storage.claims).toHaveLength(claims + 2);
  });

  it('claims when a handler ends, if it was woken while it had no room', async () => {
    storage.ready.push(claimedJob({ id: 'first' }));
    await start();
    isBlocked = true;
    storage.ready.push(claimedJob({ id: 'second' }));
    storage.listener(['mail']);
    await jest.advanceTimersByTimeAsync(100);
    expect(handlers).toHaveLength(1);
    isBlocked = false;
    handlers[0]!.resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect(handlers).toHaveLength(2);
  });

  describe('where it hears when jobs are due', () => {
    it('claims at that time, and not before', async () => {
      await start();
      const claims = storage.claims.length;
      expect(storage.listener(['mail'], 300)).toBe(false);
      expect(storage.listener(['other'], 100)).toBe(false);
      expect(storage.listener(null, 500)).toBe(false);
      await jest.advanceTimersByTimeAsync(299);
      expect(storage.claims).toHaveLength(claims);
      storage.ready.push(claimedJob());
      await jest.advanceTimersByTimeAsync(1);
      expect(storage.claims.length).toBeGreaterThan(claims);
      expect(handlers).toHaveLength(1);
    });

    it('claims once for a thousand of them', async () => {
      await start();
      const claims = storage.claims.length;
      for (let n = 0; n < 1_000; n++) storage.listener(['mail'], 300 + n / 1_000);
      await jest.advanceTimersByTimeAsync(400);
      expect(storage.claims).toHaveLength(claims + 1);
    });

    it('claims nothing any more once it is stopped', async () => {
      await start();
      storage.listener(['mail'], 300);
      await stopped();
      const claims = storage.claims.length;
      await jest.advanceTimersByTimeAsync(1_000);
      expect(storage.claims).toHaveLength(claims);
    });
  });

  describe('where it is woken again and again', () => {
    it('sends few claims where none of them finds a job', async () => {
      await start();
      const before = storage.claims.length;
      for (let ms = 0; ms < 1_000; ms++) {
        storage.listener(null);
        await jest.advanceTimersByTimeAsync(1);
      }
      expect(storage.claims.length - before).toBeLessThanOrEqual(70); // 1000, once
      expect(storage.claims.length - before).toBeGreaterThanOrEqual(40);
    });

    it('starts a job at once that comes 20 ms after the last claim, however often it was woken in vain', async () => {
      await start();
      for (let wakes = 0; wakes < 100; wakes++) {
        storage.listener(null);
        await jest.advanceTimersByTimeAsync(1);
      }
      await jest.advanceTimersByTimeAsync(50);
      storage.ready.push(claimedJob());
      storage.listener(['mail']);
      await jest.advanceTimersByTimeAsync(0);
      expect(handlers).toHaveLength(1);
    });

    it('starts each job of a burst at once, though every worker is woken for each of them', async () => {
      const others = [1, 2, 3].map(() => {
        const registry = new HandlerRegistry();
        registry.add({ kind: 'mail', run: () => void (started += 1), options: {}, declaredAt: 'Test.run' });
        const own = new Executor(storage, LEASES, events);
        return new ClaimLoop(
          storage,
          own,
          new AttemptFactory(registry, POLICY),
          { isBlocked: false },
          SETTINGS,
          events,
        );
      });
      let started = 0;
      for (const other of others) other.start();
      await jest.advanceTimersByTimeAsync(0);
      for (let n = 0; n < 200; n++) {
        storage.ready.push(claimedJob({ id: `job-${n}` }));
        for (const other of others) other.wake();
        await jest.advanceTimersByTimeAsync(1);
        expect(started).toBe(n + 1);
      }
      const stops = others.map((other) => other.stop());
      await jest.advanceTimersByTimeAsync(100);
      await Promise.all(stops);
    });
  });

  it('claims for free slots, and again when they become free', async () => {
    const claimed = heard(events, 'claimed');
    storage.ready.push(...['a', 'b', 'c'].map((id) => claimedJob({ id })));
    await start();
    expect(storage.claims).toMatchObject([{ limit: 2, terms: { workerId: 'w', leaseMs: 30_000 } }]);
    expect(handlers).toHaveLength(2);
    handlers[0]!.resolve();
    await turn();
    expect(handlers).toHaveLength(3);
    expect(claimed.map(({ jobs }) => jobs.map(({ id }) => id))).toEqual([['a', 'b'], ['c']]);
  });

  it('claims one job at a time, and with nothing beside it, while the event loop has lately been blocked', async () => {
    isBlocked = true;
    storage.ready.push(claimedJob({ id: 'a' }), claimedJob({ id: 'b' }));
    await start();
    expect(handlers).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(storage.claims.map(({ limit }) => limit)).toEqual([1]);
    handlers[0]!.resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect(handlers).toHaveLength(2);
  });

  it('gives back what a claim brings after its stop', async () => {
    const answer = deferred<ClaimedJob[]>();
    storage.claim = () => answer.promise;
    await start();
    const stop = loop.stop();
    answer.resolve([claimedJob({ id: 'late' })]);
    await stop;
    await loop.allGivenBack;
    expect(storage.released).toEqual(['late']);
    expect(handlers).toEqual([]);
  });
});

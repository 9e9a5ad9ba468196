import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ClaimedJob } from '../../../lib/job/job.js';
import { SILENT_LOGGER } from '../../../lib/job/logger.js';
import type { JobQueue, WakeListener } from '../../../lib/queue/job-queue.js';
import type { JobExecution } from '../../../lib/execution/job-execution.js';
import { ClaimLoop, type ClaimedJobs } from '../../../lib/worker/claim-loop.js';
import { claimedJob, Deferred, FAKE_TIMERS } from '../fakes.js';

const LIMITS = { kinds: ['mail', 'report'], kindLimits: new Map(), concurrency: 2 };
const SETTINGS = { workerId: 'w', pollIntervalMs: 1_000, leaseMs: 30_000, maxCrashes: 3, ...LIMITS };
const NEVER = new Promise<never>(() => undefined);

describe('ClaimLoop', () => {
  let ready: ClaimedJob[];
  let claims: number;
  let unwritten: number;
  let handlers: Deferred[];
  let listener: WakeListener;
  let loop: ClaimLoop;

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    [ready, claims, unwritten, handlers] = [[], 0, 0, []];
  });

  afterEach(async () => {
    for (const handler of handlers) handler.resolve();
    await stopped();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  /** With one outcome that is never accepted, so that they are never all written. */
  async function start(): Promise<void> {
    const queue = {
      claim: (_kinds: readonly string[], limit: number) => {
        claims += 1;
        return Promise.resolve(ready.splice(0, limit));
      },
      watch: (watching: WakeListener) => {
        listener = watching;
        return () => undefined;
      },
    };
    const jobs = {
      hold: (job: ClaimedJob) => ({ job }) as JobExecution,
      run: () => {
        const handler = new Deferred();
        handlers.push(handler);
        return handler.promise;
      },
      unwritten: () => unwritten,
      allWritten: () => NEVER,
      isBlocked: () => false,
      giveBack: () => Promise.resolve(),
    };
    loop = new ClaimLoop(
      queue as unknown as JobQueue,
      SETTINGS,
      SILENT_LOGGER,
      jobs as unknown as ClaimedJobs,
    );
    await jest.advanceTimersByTimeAsync(0);
  }

  async function stopped(): Promise<void> {
    const stop = loop.stop();
    await jest.advanceTimersByTimeAsync(100);
    await stop;
  }

  describe('tells who wakes it whether it is about to claim', () => {
    it('kinds that it serves, while it is idle', async () => {
      await start();
      expect(listener(['mail'])).toBe(true);
      expect(listener(['report', 'mail'])).toBe(true);
      expect(listener(['mail', 'other'])).toBe(false);
      expect(listener(['other'])).toBe(false);
      expect(listener(null)).toBe(false);
    });

    it('nothing, while a handler runs: another process may have nothing to do', async () => {
      await start();
      ready.push(claimedJob());
      listener(['mail']);
      await jest.advanceTimersByTimeAsync(0);
      expect(handlers).toHaveLength(1);
      expect(listener(['mail'])).toBe(false);
      handlers[0]!.resolve();
      await jest.advanceTimersByTimeAsync(0);
      expect(listener(['mail'])).toBe(true);
    });
  });

  describe('where outcomes wait to be written', () => {
    it('claims while there are 3,000 of them', async () => {
      unwritten = 3_000;
      await start();
      expect(claims).toBeGreaterThan(0);
    });

    it('claims nothing while there are more, and goes on when there are fewer, though one is never written', async () => {
      unwritten = 3_001;
      await start();
      await jest.advanceTimersByTimeAsync(60_000);
      expect(claims).toBe(0);
      unwritten = 1;
      await jest.advanceTimersByTimeAsync(100);
      expect(claims).toBeGreaterThan(0);
    });

    it('ends while there are more', async () => {
      unwritten = 3_001;
      await start();
      await jest.advanceTimersByTimeAsync(1_000);
      await stopped();
      unwritten = 0;
      await jest.advanceTimersByTimeAsync(60_000);
      expect(claims).toBe(0);
    });
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SILENT_LOGGER } from '../../lib/job/logger.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import { ClaimLoop, type ClaimedJobs } from '../../lib/worker/claim-loop.js';
import { FAKE_TIMERS } from './fakes.js';

const SETTINGS = { workerId: 'w', kinds: ['mail'], kindLimits: new Map(), concurrency: 10 };
const TIMES = { pollIntervalMs: 1_000, leaseMs: 30_000, maxCrashes: 3 };

describe('ClaimLoop, where outcomes wait to be written', () => {
  const never = new Promise<never>(() => undefined);
  let unwritten: number;
  let claims: number;
  let loop: ClaimLoop;

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    claims = 0;
  });

  afterEach(async () => {
    await stopped();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  /** With one outcome that is never accepted, so that they are never all written. */
  function start(waiting: number): void {
    unwritten = waiting;
    const queue = {
      claim: () => {
        claims += 1;
        return Promise.resolve([]);
      },
      watch: () => () => undefined,
    };
    const jobs = {
      unwritten: () => unwritten,
      allWritten: () => never,
      isBlocked: () => false,
      giveBack: () => Promise.resolve(),
    };
    loop = new ClaimLoop(
      queue as unknown as JobQueue,
      { ...SETTINGS, ...TIMES },
      SILENT_LOGGER,
      jobs as unknown as ClaimedJobs,
    );
  }

  async function stopped(): Promise<void> {
    const stop = loop.stop();
    await jest.advanceTimersByTimeAsync(100);
    await stop;
  }

  it('claims while there are 3,000 of them', async () => {
    start(3_000);
    await jest.advanceTimersByTimeAsync(0);
    expect(claims).toBeGreaterThan(0);
  });

  it('claims nothing while there are more, and goes on when there are fewer, though one is never written', async () => {
    start(3_001);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(claims).toBe(0);
    unwritten = 1;
    await jest.advanceTimersByTimeAsync(100);
    expect(claims).toBeGreaterThan(0);
  });

  it('ends while there are more', async () => {
    start(3_001);
    await jest.advanceTimersByTimeAsync(1_000);
    await stopped();
    unwritten = 0;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(claims).toBe(0);
  });
});

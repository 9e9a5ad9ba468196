import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventLoopMonitor } from '../../../lib/worker/event-loop-monitor.js';
import { MemoryLogger } from '../../support/memory-logger.js';
import { until } from '../../support/until.js';
import { heard } from '../fakes.js';

describe('EventLoopMonitor', () => {
  const settings = { heartbeatMs: 100, leaseMs: 300 };
  let logger: MemoryLogger;
  let monitor: EventLoopMonitor;
  let startedAt: number;

  beforeEach(() => {
    startedAt = performance.now();
    logger = new MemoryLogger();
    monitor = new EventLoopMonitor(settings, logger.events, () => ['report', 'mail', 'mail']);
    monitor.start();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await monitor.stop();
  });

  function block(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  const isQuiet = () => until(() => !monitor.isBlocked);

  it('tells that the loop was blocked for longer than a heartbeat, for the time of a lease', async () => {
    const since = performance.now();
    block(250);
    await until(() => monitor.isBlocked);
    await isQuiet();
    expect(performance.now() - since).toBeGreaterThan(250 + settings.leaseMs - 50);
  });

  it('warns with the kinds that run, and not again within a minute', async () => {
    const blocked = heard(logger.events, 'eventLoopBlocked');
    block(250);
    await until(() => monitor.isBlocked);
    const passedMs = performance.now() - startedAt;
    await isQuiet();
    block(250);
    await until(() => monitor.isBlocked);
    expect(blocked).toEqual([{ blockedMs: expect.any(Number), kinds: ['mail', 'report'] }]);
    expect(blocked[0]!.blockedMs).toBeGreaterThanOrEqual(250);
    expect(blocked[0]!.blockedMs).toBeLessThanOrEqual(passedMs);
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn The event loop was blocked for \d+ ms, .* Running now: mail, report\./),
    ]);
  });

  it('lets short computations and long waits pass', async () => {
    await monitor.stop();
    monitor = new EventLoopMonitor({ heartbeatMs: 1_000, leaseMs: 3_000 }, logger.events, () => []);
    monitor.start();
    const end = performance.now() + 1_500;
    await until(() => {
      if (performance.now() < end - 500) block(20); // and then it only waits
      return performance.now() > end;
    });
    expect(monitor.isBlocked).toBe(false);
    expect(logger.lines).toEqual([]);
  });

  /** From now on the loop seems to have been kept for so long at each look, the rest of the time to have been stopped. */
  function pretendToKeep(activeMs: number): { looks: number } {
    const use = performance.eventLoopUtilization;
    const seen = { looks: 0 };
    jest.spyOn(performance, 'eventLoopUtilization').mockImplementation((...since) => {
      if (since.length > 0) seen.looks += 1;
      return { ...use(...since), active: activeMs };
    });
    return seen;
  }

  it('counts a block beside which the process was stopped for longer', async () => {
    const seen = pretendToKeep(150);
    block(400);
    await until(() => seen.looks > 0, { everyMs: 1 });
    expect(monitor.isBlocked).toBe(true);
  });

  it('lets a process pass that was stopped, and did not keep the loop itself', async () => {
    const seen = pretendToKeep(0);
    block(250);
    const { looks } = seen;
    await until(() => seen.looks > looks);
    expect(monitor.isBlocked).toBe(false);
    expect(logger.lines).toEqual([]);
  });
});

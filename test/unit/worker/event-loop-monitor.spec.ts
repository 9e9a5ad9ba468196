import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sleep } from '../../../lib/async/timers.js';
import { EventLoopMonitor } from '../../../lib/worker/event-loop-monitor.js';
import { MemoryLogger } from '../../support/memory-logger.js';
import { until } from '../../support/until.js';

describe('EventLoopMonitor', () => {
  const settings = { heartbeatMs: 100, leaseMs: 300 };
  let logger: MemoryLogger;
  let monitor: EventLoopMonitor;

  beforeEach(() => {
    logger = new MemoryLogger();
    monitor = new EventLoopMonitor(settings, logger.events, () => ['report', 'mail', 'mail']);
    monitor.start();
  });

  afterEach(() => monitor.stop());

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
    block(250);
    await until(() => monitor.isBlocked);
    await isQuiet();
    block(250);
    await until(() => monitor.isBlocked);
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn The event loop was blocked for 2\d\d ms, .* Running now: mail, report\./),
    ]);
  });

  it('lets short computations and long waits pass', async () => {
    monitor.stop();
    monitor = new EventLoopMonitor({ heartbeatMs: 1_000, leaseMs: 3_000 }, logger, () => []);
    const end = performance.now() + 1_000;
    await until(() => {
      block(20);
      return performance.now() > end;
    });
    await sleep(500);
    expect(monitor.isBlocked).toBe(false);
    expect(logger.lines).toEqual([]);
  });
});

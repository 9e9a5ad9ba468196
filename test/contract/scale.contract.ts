import { expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { KIND, LONG, type World } from './world.js';

/** Much of everything: kinds, bytes, failures at once. */
export function scaleContract(world: World): void {
  it('11. Ten thousand kinds are served in their order, and no slower than a lease allows', async () => {
    const kinds = Array.from({ length: 10_000 }, (_, n) => `kind ${n}`);
    const jobs = [7, 4_200, 9_999].map((n) => ({ kind: kinds[n]!, id: `of kind ${n}`, priority: -n }));
    await world.client.enqueueMany(jobs);
    await world.client.enqueue('nobody serves this');
    const since = performance.now();
    const claimed = await world.queue.claim(kinds, 10, LONG);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(claimed.map(({ id }) => id)).toEqual(['of kind 9999', 'of kind 4200', 'of kind 7']);
  });

  it('4. Ten thousand jobs that fail at once come back spread over time', async () => {
    const count = 10_000;
    const given = Array.from({ length: count }, () => ({ kind: KIND, maxAttempts: 2 }));
    const jobs = await world.client.enqueueMany(given);
    let calls = 0;
    const fails = () => {
      calls += 1;
      throw new Error('the service is down');
    };
    await world.work({ [KIND]: fails }, { concurrency: 100, minRetryDelayMs: 5_000 });
    await until(() => calls === count, { timeoutMs: 25_000 });
    await world.stopWorkers();
    const delays: number[] = [];
    for (const { id } of jobs.slice(0, 200)) {
      const { runAt, updatedAt } = await world.job(id);
      delays.push(runAt.getTime() - updatedAt.getTime());
    }
    delays.sort((a, b) => a - b);
    expect(delays[0]).toBeGreaterThanOrEqual(5_000);
    expect(delays[150]! - delays[50]!).toBeGreaterThan(300); // of a thousand, evenly
  });
}

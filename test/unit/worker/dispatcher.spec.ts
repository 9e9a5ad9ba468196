import { describe, expect, it } from '@jest/globals';
import type { JobExecution } from '../../../lib/execution/job-execution.js';
import { Dispatcher } from '../../../lib/worker/dispatcher.js';
import { Slots } from '../../../lib/worker/slots.js';
import { until } from '../../support/until.js';

describe('Dispatcher', () => {
  it('lets the event loop have a turn while handlers that wait for nothing follow each other', async () => {
    let runs = 0;
    const dispatcher = new Dispatcher(
      new Slots(10, new Map()),
      async () => {
        runs += 1;
      },
      () => undefined,
    );
    const jobs = Array.from({ length: 1_000 }, () => ({ job: { kind: 'k' } }) as JobExecution);
    const runsAtTurn = new Promise<number>((resolve) => setImmediate(() => resolve(runs)));
    dispatcher.add(jobs);
    expect(await runsAtTurn).toBeLessThan(200);
    await until(() => runs === jobs.length);
    await dispatcher.allEnd();
    expect(dispatcher.isIdle).toBe(true);
  });
});

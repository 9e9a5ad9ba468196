import { beforeEach, describe, expect, it } from '@jest/globals';
import { deferred, type Deferred } from '../../../lib/async/deferred.js';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import { Executor } from '../../../lib/execution/executor.js';
import type { HeldJob } from '../../../lib/execution/held-job.js';
import { WorkerStoppedError } from '../../../lib/job/errors.js';
import { Dispatcher } from '../../../lib/worker/dispatcher.js';
import { Slots } from '../../../lib/worker/slots.js';
import { until } from '../../support/until.js';
import { FakeQueue, heldJob, turn } from '../fakes.js';

describe('Dispatcher', () => {
  let executor: Executor;
  let ended: string[];

  beforeEach(() => {
    const settings = { leaseMs: 60_000, heartbeatMs: 10_000 };
    executor = new Executor(new FakeQueue(), settings, new JobsEvents());
    ended = [];
  });

  const dispatcher = (concurrency: number) =>
    new Dispatcher(executor, new Slots(concurrency, new Map(), executor.held), (kind) => ended.push(kind));

  function claimed(kind: string, run: () => unknown): HeldJob {
    return executor.hold(heldJob({ id: kind, kind }, { run }).attempt, performance.now());
  }

  it('lets the event loop have a turn while handlers that wait for nothing follow each other', async () => {
    let runs = 0;
    const jobs = Array.from({ length: 1_000 }, (_, n) => claimed(`job-${n}`, () => (runs += 1)));
    const runsAtTurn = new Promise<number>((resolve) => setImmediate(() => resolve(runs)));
    dispatcher(10).add(jobs);
    expect(await runsAtTurn).toBeLessThan(200);
    await until(() => runs === jobs.length);
    await executor.held.noneRunning();
    expect(executor.held.runningCount).toBe(0);
    expect(ended).toHaveLength(1_000);
    await executor.held.noneSettling();
  });

  describe('with two slots and four jobs', () => {
    const KINDS = ['a', 'b', 'c', 'd'];
    let handlers: Map<string, Deferred<void>>;
    let started: string[];
    let jobs: HeldJob[];
    let two: Dispatcher;

    beforeEach(() => {
      handlers = new Map(KINDS.map((kind) => [kind, deferred()]));
      started = [];
      jobs = KINDS.map((kind) =>
        claimed(kind, () => {
          started.push(kind);
          return handlers.get(kind)!.promise;
        }),
      );
      two = dispatcher(2);
      two.add(jobs);
    });

    async function end(kind: string): Promise<void> {
      handlers.get(kind)!.resolve();
      await turn();
    }

    it('starts the others as slots become free, in the order of their claim', async () => {
      expect(started).toEqual(['a', 'b']);
      expect(executor.held.waitingCount).toBe(2);
      await end('b');
      expect(started).toEqual(['a', 'b', 'c']);
      await end('c');
      await end('a');
      expect(started).toEqual(['a', 'b', 'c', 'd']);
      await end('d');
      expect(ended).toEqual(['b', 'c', 'a', 'd']);
      expect(executor.held.waitingCount).toBe(0);
    });

    it('passes over a job that was given back while it waited', async () => {
      await executor.giveBack([jobs[2]!], new WorkerStoppedError());
      await end('a');
      expect(started).toEqual(['a', 'b', 'd']);
    });

    it('starts one job beside the others where it is told to, with no slot free', async () => {
      const handler = deferred();
      const end = two.start(claimed('now', () => handler.promise));
      expect(executor.held.runningCount).toBe(3);
      handler.resolve();
      await end;
      expect(ended).toEqual(['now']);
      expect(started).toEqual(['a', 'b']);
    });

    it('tells that the first of the waiting jobs has waited for long, and not where none waits', async () => {
      expect(two.hasWaitedLongerThan(60_000)).toBe(false);
      await until(() => two.hasWaitedLongerThan(1));
      for (const kind of KINDS) await end(kind);
      expect(two.hasWaitedLongerThan(-1)).toBe(false);
    });
  });
});

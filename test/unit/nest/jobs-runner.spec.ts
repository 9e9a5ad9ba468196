import { describe, expect, it } from '@jest/globals';
import type { Startable } from '../../../lib/async/loop.js';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import type { JobsExplorer } from '../../../lib/nest/jobs.explorer.js';
import { JobsRunner } from '../../../lib/nest/jobs.runner.js';
import type { JobQueue } from '../../../lib/queue/job-queue.js';
import { deferred } from '../../../lib/async/deferred.js';
import { turn } from '../fakes.js';

describe('JobsRunner', () => {
  /** A part that takes time to start and to stop. */
  class Part implements Startable {
    readonly started = deferred();
    readonly stopped = deferred();

    constructor(
      private readonly name: string,
      private readonly calls: string[],
    ) {}

    start(): Promise<void> {
      this.calls.push(`start ${this.name}`);
      return this.started.promise;
    }

    stop(): Promise<void> {
      this.calls.push(`stop ${this.name}`);
      return this.stopped.promise;
    }
  }

  const calls: string[] = [];
  const [one, other] = [new Part('one', calls), new Part('other', calls)];
  const explorer = {
    explore: () => calls.push('explore'),
    ready: () => Promise.resolve(),
  } as unknown as JobsExplorer;
  const queue = { close: () => calls.push('close') } as unknown as JobQueue;

  it('starts its parts one after the other, stops them together, and closes the queue at last', async () => {
    const runner = new JobsRunner(explorer, [one, other], queue, new JobsEvents());
    await runner.onModuleInit();
    const starting = runner.onApplicationBootstrap();
    await turn();
    expect(calls).toEqual(['explore', 'start one']);
    one.started.resolve();
    other.started.resolve();
    await starting;
    const stopping = runner.onModuleDestroy();
    expect(calls).toEqual(['explore', 'start one', 'start other', 'stop one', 'stop other']);
    one.stopped.resolve();
    other.stopped.resolve();
    await stopping;
    await runner.onApplicationShutdown();
    expect(calls.at(-1)).toBe('close');
  });

  it('starts its parts once the storage is open, and none of them if it is stopped before', async () => {
    const opened = deferred();
    const part = { check: () => calls.push('check'), start: () => void calls.push('start'), stop: turn };
    const late = { opening: { isOpen: false, opened: opened.promise, stop: turn } } as unknown as JobQueue;
    const runners = [1, 2].map(() => new JobsRunner(explorer, [part], late, new JobsEvents()));
    calls.length = 0;
    for (const runner of runners) await runner.onApplicationBootstrap();
    await runners[0]!.onModuleDestroy();
    await turn();
    expect(calls).toEqual(['check', 'check']);
    opened.resolve();
    await turn();
    expect(calls).toEqual(['check', 'check', 'start']);
  });

  it('tells of a part that cannot be started by then', async () => {
    const error = new Error('no');
    const part = { start: () => Promise.reject(error), stop: turn };
    const late = { opening: { isOpen: false, opened: Promise.resolve(), stop: turn } } as unknown as JobQueue;
    const events = new JobsEvents();
    const told: unknown[] = [];
    events.on('startFailed', (detail) => told.push(detail));
    await new JobsRunner(explorer, [part], late, events).onApplicationBootstrap();
    await turn();
    expect(told).toEqual([{ error }]);
  });
});

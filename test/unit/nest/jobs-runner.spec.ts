import { describe, expect, it } from '@jest/globals';
import type { Startable } from '../../../lib/async/loop.js';
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
    const runner = new JobsRunner(explorer, [one, other], queue);
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
});

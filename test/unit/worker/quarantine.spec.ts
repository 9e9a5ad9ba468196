import { beforeEach, describe, expect, it } from '@jest/globals';
import type { HandlerFn } from '../../../lib/execution/attempt.js';
import { Executor } from '../../../lib/execution/executor.js';
import type { HeldJob } from '../../../lib/execution/held-job.js';
import { LeaseLostError } from '../../../lib/job/errors.js';
import type { LeaseAnswer, LeaseRenewal } from '../../../lib/queue/lease.js';
import { Dispatcher } from '../../../lib/worker/dispatcher.js';
import { Quarantine } from '../../../lib/worker/quarantine.js';
import { Slots } from '../../../lib/worker/slots.js';
import { MemoryLogger } from '../../support/memory-logger.js';
import { FakeQueue, heard, heldJob, never } from '../fakes.js';

const SETTINGS = { leaseMs: 150, heartbeatMs: 50, maxCrashes: 3 };

describe('Quarantine', () => {
  let ran: string[];
  let marked: string[];
  let queue: FakeQueue;
  let logger: MemoryLogger;
  let executor: Executor;
  let quarantine: Quarantine;

  beforeEach(() => {
    [ran, marked] = [[], []];
    queue = new FakeQueue();
    mark(() => 'written');
    logger = new MemoryLogger();
    executor = new Executor(queue, SETTINGS, logger.events);
    const slots = new Slots(10, new Map(), executor.held);
    const dispatcher = new Dispatcher(executor, slots, () => undefined);
    quarantine = new Quarantine(executor, dispatcher, SETTINGS, logger.events);
  });

  /** What the storage answers where a job is to be marked as running alone. */
  function mark(answer: (id: string) => LeaseAnswer | Promise<LeaseAnswer>): void {
    queue.renew = (leases: readonly LeaseRenewal[]) => {
      marked.push(...leases.filter(({ alone }) => alone).map(({ id }) => id));
      return Promise.all(leases.map(async ({ id }) => answer(id)));
    };
  }

  function claimed(id: string, crashes: number, run: HandlerFn = () => ran.push(id)): HeldJob {
    return executor.hold(heldJob({ id, crashes }, { run }).attempt, performance.now());
  }

  /** A job whose workers have died twice. */
  const suspect = (id: string) => claimed(id, 2);

  it('is for jobs whose next crash would convict them, and for none that has never been with a dead worker', () => {
    expect([0, 1, 2, 3].filter((crashes) => quarantine.includes(claimed('a', crashes)))).toEqual([2, 3]);
    const strict = new Quarantine(executor, { start: never }, { leaseMs: 150, maxCrashes: 1 }, logger.events);
    expect([0, 1, 2].filter((crashes) => strict.includes(claimed('b', crashes)))).toEqual([1, 2]);
  });

  it('waits no longer than a lease for an outcome that cannot be written, and marks nobody beside it', async () => {
    queue.settle = never;
    await executor.run(claimed('unwritten', 0));
    await quarantine.run([suspect('a'), suspect('b')]);
    expect(ran).toEqual(['unwritten', 'a', 'b']);
    expect(marked).toEqual([]);
    await executor.stop();
  });

  it('waits no longer than a lease for a handler that does not end, and marks nobody beside it', async () => {
    void executor.run(claimed('long', 0, never));
    await quarantine.run([suspect('a')]);
    expect(ran).toEqual(['a']);
    expect(marked).toEqual([]);
    await executor.stop();
  });

  it('runs a job that is set apart, and gives back one whose lease others have', async () => {
    mark((id) => (id === 'a' ? 'written' : 'lost'));
    await quarantine.run([suspect('a'), suspect('b')]);
    expect(ran).toEqual(['a']);
    expect(marked).toEqual(['a', 'b']);
    expect(queue.released).toEqual(['b']);
    expect(queue.settled.map(({ id }) => id)).toEqual(['a']);
  });

  it('runs one after the other, each when the outcome of the one before is written', async () => {
    const steps: string[] = [];
    logger.events.on('settled', ({ job }) => steps.push(`${job.id} written`));
    mark((id) => {
      steps.push(`${id} marked`);
      return 'written';
    });
    await quarantine.run([suspect('a'), suspect('b')]);
    expect(steps).toEqual(['a marked', 'a written', 'b marked', 'b written']);
  });

  it('runs a job also where the answer is lost or late, lest it be convicted without having been started', async () => {
    const failed = heard(logger.events, 'quarantineFailed');
    mark((id) => (id === 'lost' ? Promise.reject(new Error('connection lost')) : never()));
    await quarantine.run([suspect('lost'), suspect('late')]);
    expect(ran).toEqual(['lost', 'late']);
    expect(queue.released).toEqual([]);
    expect(failed.map(({ job }) => job.id)).toEqual(['lost']);
  });

  it('gives back a job whose row is busy, for nobody has marked it', async () => {
    mark(() => 'busy');
    await quarantine.run([suspect('a')]);
    expect(ran).toEqual([]);
    expect(queue.released).toEqual(['a']);
  });

  it('marks no job whose lease was lost while it waited for its turn', async () => {
    const late = suspect('late');
    executor.held.lose(late, new LeaseLostError('late', 'it has run out'));
    await quarantine.run([suspect('a'), late]);
    expect(marked).toEqual(['a']);
    expect(ran).toEqual(['a']);
    expect(queue.released).toEqual(['late']);
  });

  it('gives back what it has not started once it is stopped', async () => {
    const stopping = claimed('a', 2, () => {
      ran.push('a');
      quarantine.stop();
    });
    await quarantine.run([stopping, suspect('b'), suspect('c')]);
    expect(ran).toEqual(['a']);
    expect(queue.released).toEqual(['b', 'c']);
  });
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { deferred, type Deferred } from '../../../lib/async/deferred.js';
import type { JobsEvent } from '../../../lib/events/jobs-events.js';
import { LOG_LINES } from '../../../lib/events/log-lines.js';
import type { HandlerFn } from '../../../lib/execution/attempt.js';
import { Executor } from '../../../lib/execution/executor.js';
import type { HeldJob } from '../../../lib/execution/held-job.js';
import { JobCancelledError } from '../../../lib/job/control-errors.js';
import { LeaseLostError, WorkerStoppedError } from '../../../lib/job/errors.js';
import { TransactionUndoneError } from '../../../lib/job/storage-errors.js';
import { FAKE_TIMERS, FakeQueue, heard, heldJob, never, turn, type HeldJobGiven } from '../fakes.js';
import { MemoryLogger } from '../../support/memory-logger.js';

const SETTINGS = { leaseMs: 900, heartbeatMs: 300 };
const TRANSACTIONAL = { transactional: true };

let queue: FakeQueue;
let logger: MemoryLogger;
let executor: Executor;
/** What happened, in order. */
let told: JobsEvent[];
let handler: Deferred<unknown>;

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  queue = new FakeQueue();
  logger = new MemoryLogger({ isDebugEnabled: false });
  told = [];
  for (const event of [...Object.keys(LOG_LINES), 'started', 'gaveBack'] as JobsEvent[])
    logger.events.on(event, () => told.push(event));
  executor = new Executor(queue, SETTINGS, logger.events);
  executor.start();
  handler = deferred<unknown>();
});

afterEach(async () => {
  await executor.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function hold(run: HandlerFn = () => handler.promise, policy: HeldJobGiven['policy'] = {}): HeldJob {
  return executor.hold(heldJob({ id: 'a' }, { run, policy }).attempt, performance.now());
}

/** Runs a job until its handler waits for the test. */
function run(run?: HandlerFn, policy?: HeldJobGiven['policy']) {
  const job = hold(run, policy);
  const state = { hasEnded: false };
  void executor.run(job).then(() => (state.hasEnded = true));
  return { job, state };
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** The next answer to a renewal says that another worker has the job. */
async function loseLease(): Promise<void> {
  queue.renew = (leases) => Promise.resolve(leases.map(() => 'lost'));
  await pass(300);
}

describe('Executor', () => {
  it('runs a job, writes its outcome, and is done with it', async () => {
    const { job, state } = run();
    expect([job.handler, job.lease]).toEqual(['running', 'held']);
    handler.resolve({ sent: 1 });
    await executor.held.noneRunning();
    await executor.held.noneSettling();
    expect(state.hasEnded).toBe(true);
    expect(queue.settled).toMatchObject([
      { id: 'a', leaseToken: 1, outcome: { type: 'done', result: { json: '{"sent":1}' } } },
    ]);
    expect(told).toEqual(['started', 'settled']);
    expect([job.handler, job.lease]).toEqual(['ended', 'over']);
    expect(executor.held.open).toEqual([]);
  });

  it('tells what stands around an attempt of its end, within what that has made active', async () => {
    const active = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    logger.events.instrumentWith({
      send: () => Promise.resolve(),
      traceContext: () => undefined,
      process: ({ id }) => ({
        run: (work) => active.run(id, work),
        ended: ({ type }) => void seen.push([type, active.getStore()]),
      }),
    });
    await executor.run(hold(() => void seen.push(active.getStore())));
    expect(seen).toEqual(['a', ['done', 'a']]);
    await executor.held.noneSettling();
  });

  it('ends a run when its handler has ended, with its outcome on the way', async () => {
    queue.settle = never;
    const { job, state } = run();
    handler.resolve(null);
    await turn();
    expect(state.hasEnded).toBe(true);
    expect([job.handler, job.lease]).toEqual(['ended', 'settling']);
    await pass(300);
    expect(queue.renewed).toEqual(['a']); // until it is written
  });

  it('writes what a handler throws as a retry, a failure or a panic', async () => {
    const policy = { maxAttempts: 2 };
    await executor.run(hold(() => Promise.reject(new Error('no')), policy));
    await executor.run(hold(() => Promise.reject(new Error('no'))));
    await executor.run(hold(() => (undefined as never as { x: number }).x));
    await executor.held.noneSettling();
    expect(queue.settled.map(({ outcome }) => outcome.type)).toEqual(['retry', 'failed', 'panic']);
  });

  it('renews the lease from the claim on, long before the job is started', async () => {
    const job = hold();
    await pass(300);
    expect(queue.renewed).toEqual(['a']);
    expect(job.endsAt).toBe(performance.now() + SETTINGS.leaseMs);
  });

  it('counts the lease from before the claim was sent', () => {
    expect(executor.hold(heldJob().attempt, 12_000).endsAt).toBe(12_900);
    expect(executor.hold(heldJob().attempt, 12_000, true).alone).toBe(true);
  });

  it('does not start a job whose lease was lost while it waited', async () => {
    const handlerCalled = jest.fn();
    const job = hold(handlerCalled);
    await loseLease();
    await executor.run(job);
    expect(handlerCalled).not.toHaveBeenCalled();
    expect(told).toEqual(['lost']);
    expect([job.handler, job.lease]).toEqual(['ended', 'over']);
    expect(queue.settled).toEqual([]);
  });

  it('does not start a job that was given back while it waited', async () => {
    const handlerCalled = jest.fn();
    const job = hold(handlerCalled);
    await executor.giveBack([job], new WorkerStoppedError());
    await executor.run(job);
    expect(handlerCalled).not.toHaveBeenCalled();
    expect(told).toEqual(['gaveBack']);
    expect(executor.held.runningCount).toBe(0);
  });

  describe('where the lease is lost while the handler runs', () => {
    it('aborts its signal, and drops what it throws', async () => {
      const { job, state } = run();
      await loseLease();
      const { reason } = job.attempt.signal;
      expect(reason).toBeInstanceOf(LeaseLostError);
      handler.reject(reason);
      await turn();
      expect(state.hasEnded).toBe(true);
      expect(told).toEqual(['started', 'lost', 'outcomeDropped']);
      expect(queue.settled).toEqual([]);
      expect([job.handler, job.lease]).toEqual(['ended', 'over']);
    });

    it('still offers that it is done: nobody may have taken the job yet', async () => {
      const { job } = run();
      await loseLease();
      handler.resolve('after all');
      await executor.held.noneRunning();
      await executor.held.noneSettling();
      expect(told).toEqual(['started', 'lost', 'settled']);
      expect(queue.settled).toMatchObject([{ id: 'a', outcome: { type: 'done' } }]);
      expect([job.handler, job.lease]).toEqual(['ended', 'over']);
    });
  });

  describe('with a handler that goes on after its time', () => {
    const policy = { timeoutMs: 100 };

    it('writes the outcome at once, keeps its slot, and tells of it after a second', async () => {
      const { job, state } = run(undefined, policy);
      await pass(100);
      await executor.held.noneSettling();
      expect(queue.settled).toMatchObject([{ id: 'a', outcome: { type: 'failed' } }]);
      expect([job.handler, job.lease]).toEqual(['running', 'over']);
      expect(executor.held.runningCount).toBe(1);
      expect(executor.held.unfinished).toEqual([]); // there is nothing of it to give back
      await pass(999);
      expect(told).toEqual(['started', 'settled']);
      await pass(1);
      expect(told).toEqual(['started', 'settled', 'abortIgnored']);
      await pass(60_000);
      expect(state.hasEnded).toBe(false);
      expect(executor.held.countOf('mail')).toBe(1);
      handler.resolve('too late');
      await turn();
      expect(state.hasEnded).toBe(true);
      expect(executor.held.runningCount).toBe(0);
      expect(told).toEqual(['started', 'settled', 'abortIgnored']);
      expect(queue.settled).toHaveLength(1);
    });

    it('tells nothing where it ends within a second', async () => {
      const { state } = run(undefined, policy);
      await pass(900);
      handler.reject(new Error('aborted'));
      await turn();
      expect(state.hasEnded).toBe(true);
      await pass(5_000);
      expect(told).toEqual(['started', 'settled']);
    });
  });

  describe('letGo', () => {
    it('aborts the signal, renews on, and releases the job when its handler has ended', async () => {
      const { job, state } = run();
      const reason = new WorkerStoppedError();
      executor.letGo([job], reason);
      expect(job.attempt.signal.reason).toBe(reason);
      await pass(1_200);
      expect([job.lease, state.hasEnded]).toEqual(['held', false]);
      handler.resolve('too late');
      await pass(0);
      expect(told).toEqual(['started', 'gaveBack']);
      expect(executor.held.open).toEqual([]);
      expect(state.hasEnded).toBe(true);
    });

    it('is done with a job whose lease is lost before its handler has ended', async () => {
      const { job } = run();
      executor.letGo([job], new WorkerStoppedError());
      await loseLease();
      handler.resolve('too late');
      await pass(0);
      expect(told).toEqual(['started', 'lost']);
      expect(executor.held.open).toEqual([]);
    });
  });

  describe('giveBack', () => {
    it('releases jobs, aborts their signals, and throws away what their handlers return', async () => {
      const { job, state } = run();
      const reason = new WorkerStoppedError();
      const gaveBack = heard(logger.events, 'gaveBack');
      await executor.giveBack([job], reason);
      expect(queue.released).toEqual(['a']);
      expect(job.attempt.signal.reason).toBe(reason);
      expect(gaveBack).toEqual([{ jobs: [job.job] }]);
      expect([job.handler, job.lease]).toEqual(['running', 'over']);
      await pass(600);
      expect(queue.renewed).toEqual([]);
      handler.resolve('too late');
      await turn();
      expect(state.hasEnded).toBe(true);
      expect(queue.settled).toEqual([]);
      expect(told).toEqual(['started', 'gaveBack']);
    });

    it('asks and tells nothing where there are no jobs', async () => {
      queue.release = never;
      await executor.giveBack([], new WorkerStoppedError());
      expect(told).toEqual([]);
    });

    it('tells of a release that failed, and lets the leases run out', async () => {
      const error = new Error('connection lost');
      queue.release = () => Promise.reject(error);
      const failed = heard(logger.events, 'giveBackFailed');
      const job = hold();
      await executor.giveBack([job], new WorkerStoppedError());
      expect(failed).toEqual([{ jobs: [job.job], error }]);
      expect(told).toEqual(['giveBackFailed']);
      await pass(600);
      expect(queue.renewed).toEqual([]);
    });
  });

  describe('with a transactional handler', () => {
    it('writes no outcome that has been committed with the transaction', async () => {
      const managers: EntityManager[] = [];
      const { job, state } = run((_job, { manager }) => managers.push(manager), TRANSACTIONAL);
      await executor.held.noneRunning();
      await turn();
      expect(state.hasEnded).toBe(true);
      expect(managers).toHaveLength(1);
      expect(told).toEqual(['started', 'settledInTransaction']);
      expect(queue.settled).toEqual([]);
      expect([job.handler, job.lease]).toEqual(['ended', 'over']);
    });

    it('hands on the lease, the attempt and the signal', async () => {
      const attempts: unknown[] = [];
      const { runAndSettle } = queue;
      queue.runAndSettle = (attempt, work) => {
        attempts.push(attempt);
        return runAndSettle(attempt, work);
      };
      const { job } = run(() => 1, TRANSACTIONAL);
      await executor.held.noneRunning();
      const { signal } = job.attempt;
      const lease = { id: 'a', leaseToken: 1, lockedBy: 'worker-1', alone: false };
      expect(attempts).toEqual([{ ...lease, attemptsDone: 0, signal }]);
    });

    it('is unfinished, and renewed, until its transaction has ended', async () => {
      const { job } = run(undefined, TRANSACTIONAL);
      await pass(300);
      expect(queue.renewed).toEqual(['a']);
      expect(executor.held.unfinished).toEqual([job]);
      handler.resolve(null);
      await executor.held.noneRunning();
    });

    it('tells that its transaction was rolled back where the lease was lost before the commit', async () => {
      queue.runAndSettle = async (_attempt, work) => {
        await work({} as EntityManager);
        return 'lost';
      };
      await executor.run(hold(() => 1, TRANSACTIONAL));
      expect(told).toEqual(['started', 'transactionLost']);
      expect(queue.settled).toEqual([]);
    });

    it('leaves it to its commit whether the lease is lost: it may be committed, and the answer on its way', async () => {
      const committed = deferred();
      const { runAndSettle } = queue;
      queue.runAndSettle = async (attempt, work) => {
        const answer = await runAndSettle(attempt, work);
        await committed.promise;
        return answer;
      };
      const { job } = run(() => 1, TRANSACTIONAL);
      await loseLease();
      committed.resolve();
      await executor.held.noneRunning();
      expect(told).toEqual(['started', 'settledInTransaction']);
      expect(job.attempt.signal.aborted).toBe(false);
    });

    it('has a lease to lose while it runs again, after a transaction that was undone in its commit', async () => {
      const { runAndSettle } = queue;
      let isUndone = false;
      queue.runAndSettle = async (attempt, work) => {
        const answer = await runAndSettle(attempt, work);
        if (isUndone) return answer;
        isUndone = true;
        throw new TransactionUndoneError(true, new Error('deadlock'));
      };
      let calls = 0;
      const { job } = run(() => (++calls === 1 ? 1 : handler.promise), TRANSACTIONAL);
      await loseLease();
      expect(calls).toBe(2);
      expect(job.attempt.signal.aborted).toBe(true);
      handler.resolve(null);
      await executor.held.noneRunning();
    });

    it('writes what it throws outside of its transaction, which is gone', async () => {
      await executor.run(hold(() => Promise.reject(new Error('no')), { ...TRANSACTIONAL, maxAttempts: 2 }));
      await executor.held.noneSettling();
      expect(queue.settled).toMatchObject([{ id: 'a', outcome: { type: 'retry' } }]);
      expect(told).toEqual(['started', 'settled']);
    });

    describe('whose transaction the database undoes', () => {
      const cause = new Error('deadlock');

      it('is called again after a pause, with no attempt spent, and told of each time', async () => {
        const undone = heard(logger.events, 'transactionUndone');
        const { runAndSettle } = queue;
        let calls = 0;
        queue.runAndSettle = async (attempt, work) => {
          const answer = await runAndSettle(attempt, work);
          calls += 1;
          if (calls < 3) throw new TransactionUndoneError(true, cause);
          return answer;
        };
        const { job } = run(() => 1, TRANSACTIONAL);
        await turn();
        expect(calls).toBe(1);
        await pass(200);
        await executor.held.noneRunning();
        expect(calls).toBe(3);
        expect(undone).toEqual(Array(2).fill({ job: job.job, error: cause }));
        expect(told).toEqual(['started', 'transactionUndone', 'transactionUndone', 'settledInTransaction']);
      });

      it('has failed with the third', async () => {
        queue.runAndSettle = () => Promise.reject(new TransactionUndoneError(true, cause));
        run(() => 1, TRANSACTIONAL);
        await pass(500);
        await executor.held.noneSettling();
        expect(queue.settled).toMatchObject([{ outcome: { type: 'failed' } }]);
        expect(queue.settled[0]!.outcome).toHaveProperty('lastError', expect.stringMatching(/^Error: dead/));
        expect(told).toEqual(['started', 'transactionUndone', 'transactionUndone', 'settled']);
      });

      it('is asked for again without end where none could begin, until it is given back', async () => {
        queue.runAndSettle = ({ signal }) =>
          Promise.reject(
            signal.aborted ? (signal.reason as Error) : new TransactionUndoneError(false, cause),
          );
        const { job, state } = run(() => 1, TRANSACTIONAL);
        await pass(60_000);
        expect(told.filter((event) => event === 'transactionUndone').length).toBeGreaterThan(10);
        expect(state.hasEnded).toBe(false);
        await executor.giveBack([job], new WorkerStoppedError());
        await turn();
        expect(state.hasEnded).toBe(true);
        expect(queue.settled).toEqual([]);
        expect(told.at(-1)).toBe('gaveBack');
      });
    });
  });

  describe('a job that is asked to stop', () => {
    const askToStop = () => {
      queue.renew = (leases) => Promise.resolve(leases.map(() => ({ reason: 'enough' })));
      return pass(300);
    };

    it('aborts its signal once, and is cancelled with what its handler throws', async () => {
      const { job } = run();
      await askToStop();
      await pass(300);
      expect(job.attempt.signal.reason).toBeInstanceOf(JobCancelledError);
      handler.reject(new TypeError('because of it'));
      await executor.held.noneRunning();
      await executor.held.noneSettling();
      expect(queue.settled).toMatchObject([{ id: 'a', outcome: { type: 'cancelled', reason: 'enough' } }]);
      expect(told).toEqual(['started', 'stopRequested', 'settled']);
    });

    it('is done where its handler returns all the same', async () => {
      run();
      await askToStop();
      handler.resolve('finished');
      await executor.held.noneRunning();
      await executor.held.noneSettling();
      expect(queue.settled).toMatchObject([{ outcome: { type: 'done' } }]);
    });

    it('looks at once where it hears of it, and not more often than ten times a second, whatever it hears', async () => {
      hold();
      for (let n = 0; n < 1_000; n++) {
        queue.hint(n % 2 === 0 ? ['a', 'of others'] : null);
        await turn();
        if (n % 20 === 0) await pass(1);
      }
      expect(queue.renewed.length).toBe(1);
      await pass(100);
      expect(queue.renewed.length).toBe(2);
    });

    it('is given back where it has not begun, and is never started', async () => {
      const job = hold();
      await askToStop();
      expect(queue.released).toEqual(['a']);
      await executor.run(job);
      expect(told).toEqual(['stopRequested', 'gaveBack']);
    });
  });

  it('gives up on outcomes that are not written, and renews nothing any more, once it is stopped', async () => {
    queue.settle = never;
    const { job } = run();
    const waiting = hold();
    handler.resolve(null);
    await turn();
    await executor.stop();
    expect(told).toEqual(['started', 'settleAbandoned']);
    expect(job.lease).toBe('over');
    expect(waiting.lease).toBe('held');
    await pass(3_000);
    expect(queue.renewed).toEqual([]);
  });
});

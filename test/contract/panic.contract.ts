import assert from 'node:assert/strict';
import { describe, expect, it } from '@jest/globals';
import { RetryableError } from '../../lib/job/errors.js';
import { KIND, type Store } from '../support/store.js';

class ValidationError extends TypeError {}

const PANICS: readonly [string, () => unknown][] = [
  ['a TypeError of the engine', () => (null as unknown as { x: number }).x],
  ['a call of what is no function', () => (5 as unknown as () => void)()],
  ['a ReferenceError of the engine', () => (0, eval)('thereIsNoSuchVariable') as unknown],
  ['a RangeError of the engine', () => new Array<number>(-1)],
  ['an endless recursion', () => recurse()],
  ['an EvalError', () => fail(new EvalError('x'))],
  ['an AssertionError', () => assert.equal(1, 2)],
  ['a string', () => fail('blown up')],
  ['undefined', () => fail(undefined)],
  ['null', () => fail(null)],
  ['a number', () => fail(42)],
  ['an object that only looks like an error', () => fail({ name: 'Error', message: 'x' })],
  ['a rejected promise without a reason', async () => fail(undefined)],
  ['an object that cannot be looked at', () => fail(revokedProxy())],
];

const NO_PANICS: readonly [string, () => unknown][] = [
  ['an Error', () => fail(new Error('x'))],
  [
    'a failed fetch, a TypeError with a cause',
    () => fail(new TypeError('fetch failed', { cause: 'refused' })),
  ],
  ['a TypeError with a code', () => new URL('no url')],
  ['a RangeError with a code', () => Buffer.alloc(2).readInt32LE(9)],
  ['a SyntaxError', () => JSON.parse('{') as unknown],
  ['an error class of its own that extends TypeError', () => fail(new ValidationError('x'))],
  ['an AggregateError', () => fail(new AggregateError([new TypeError('x')], 'all failed'))],
  ['a DOMException', () => AbortSignal.abort().throwIfAborted()],
  ['an error without a message', () => fail(new Error())],
  ['an error whose fields cannot be read', () => fail(unreadableError())],
];

/** Promise 5, except for jobs that kill their worker; see leaseContract and workerContract. */
export function panicContract(store: Store): void {
  const outcomeOf = async (run: () => unknown) => {
    const { id } = await store.client.enqueue(KIND, null, { maxAttempts: 1 });
    await store.queue.dequeue([KIND], run);
    return store.job(id);
  };

  describe('5. A panic is a bug in the program, not a failure of something around it', () => {
    it.each(PANICS)('%s is one', async (_name, run) => {
      const job = await outcomeOf(run);
      expect(job).toMatchObject({ status: 'PANIC', attemptsDone: 1 });
      expect(job.lastError).toMatch(/^panic: ./);
    });

    it.each(NO_PANICS)('%s is not', async (_name, run) => {
      const job = await outcomeOf(run);
      expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(job.lastError).not.toMatch(/^panic/);
      expect(job.lastError).not.toBe('');
    });

    it('ends the job regardless of the retry policy', async () => {
      const { id } = await store.client.enqueue(KIND, null, { maxAttempts: 9 });
      let calls = 0;
      const run = () => {
        calls += 1;
        throw new TypeError('broken');
      };
      await store.work({ [KIND]: { run, options: { maxAttempts: 9 } } });
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'PANIC', attemptsDone: 1 });
      expect(job.lastError).toMatch(/^panic: TypeError: broken\n/);
      expect(calls).toBe(1);
    });

    it('does not end the worker', async () => {
      await store.work({ bad: () => fail('blown up'), good: () => 'fine' });
      const bad = await store.client.enqueue('bad');
      expect(await store.ended(bad.id)).toMatchObject({ status: 'PANIC', lastError: 'panic: blown up' });
      const good = await store.client.enqueue('good');
      expect(await store.ended(good.id)).toMatchObject({ status: 'DONE' });
    });
  });

  describe('5. isPanic lets a user decide otherwise', () => {
    const withIsPanic = async (isPanic: (error: unknown) => boolean | undefined, thrown: unknown) => {
      store.open();
      store.queue = store.open({ isPanic });
      store.client = store.clientOf(store.queue);
      return outcomeOf(() => fail(thrown));
    };

    it('and can make an error a panic', async () => {
      const job = await withIsPanic(() => true, new Error('mine'));
      expect(job.status).toBe('PANIC');
      expect(job.lastError).toMatch(/^panic: Error: mine/);
    });

    it('and can make a panic an ordinary error', async () => {
      expect(await withIsPanic(() => false, 'text')).toMatchObject({ status: 'FAILED', lastError: 'text' });
    });

    it('gets the thrown value itself, and leaves the decision to the default by returning undefined', async () => {
      const thrown = new TypeError('x');
      const seen: unknown[] = [];
      const job = await withIsPanic((error) => void seen.push(error), thrown);
      expect(seen).toEqual([thrown]);
      expect(seen[0]).toBe(thrown);
      expect(job.status).toBe('PANIC');
    });

    it('falls back to the default if it throws', async () => {
      const failing = () => fail(new Error('isPanic is broken'));
      expect(await withIsPanic(failing, new Error('x'))).toMatchObject({ status: 'FAILED' });
    });

    it('is not asked about a RetryableError', async () => {
      const job = await withIsPanic(() => true, new RetryableError('later', { retryAfterMs: 0 }));
      expect(job).toMatchObject({ status: 'FAILED' }); // its only attempt is used up
    });

    it('is asked by a worker too', async () => {
      const { id } = await store.client.enqueue(KIND);
      await store.work({ [KIND]: () => fail(new Error('x')) }, { isPanic: () => true });
      expect(await store.ended(id)).toMatchObject({ status: 'PANIC' });
    });
  });
}

function fail(thrown: unknown): never {
  throw thrown;
}

function recurse(): number {
  return recurse() + 1;
}

function unreadableError(): Error {
  const error = new Error('x');
  const unreadable = { get: () => fail(new Error('do not look')) };
  for (const field of ['message', 'stack', 'name', 'cause']) Object.defineProperty(error, field, unreadable);
  return error;
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

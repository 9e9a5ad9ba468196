import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import {
  after,
  answeredWithin,
  endsWithin,
  sleep,
  unlessAborted,
  withTimeLimit,
} from '../../../lib/async/timers.js';
import { FAKE_TIMERS, never, turn } from '../fakes.js';

const DAY_MS = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
});

afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

/** The longest that `setTimeout` can wait; it fires at once for more. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

describe('after', () => {
  it.each([0, 1, 1_000, MAX_TIMEOUT_MS, MAX_TIMEOUT_MS + 1, 3 * MAX_TIMEOUT_MS])(
    'calls back once when %d ms have passed, and not before',
    async (ms) => {
      const called = jest.fn();
      after(ms, called);
      if (ms > 0) await jest.advanceTimersByTimeAsync(ms - 1);
      expect(called).not.toHaveBeenCalled();
      await jest.advanceTimersByTimeAsync(ms > 0 ? 1 : 0);
      expect(called).toHaveBeenCalledTimes(1);
      await jest.advanceTimersByTimeAsync(MAX_TIMEOUT_MS);
      expect(called).toHaveBeenCalledTimes(1);
    },
  );

  it('calls back at once when the time has passed already, without a negative timeout, of which Node warns', async () => {
    const setTimeout = jest.spyOn(globalThis, 'setTimeout');
    const called = jest.fn();
    after(-0.5, called);
    await jest.advanceTimersByTimeAsync(0);
    expect(called).toHaveBeenCalledTimes(1);
    expect(setTimeout).toHaveBeenCalledWith(expect.any(Function), 0);
    setTimeout.mockRestore();
  });

  it('never calls back after Infinity, and sets no timer for it', async () => {
    const cancel = after(Infinity, () => {
      throw new Error('called');
    });
    expect(jest.getTimerCount()).toBe(0);
    cancel();
  });

  it('does not call back once it is cancelled, in whichever of its timers', async () => {
    for (const ms of [10, MAX_TIMEOUT_MS - 10, MAX_TIMEOUT_MS + 10]) {
      const called = jest.fn();
      const cancel = after(2 * MAX_TIMEOUT_MS, called);
      await jest.advanceTimersByTimeAsync(ms);
      cancel();
      expect(jest.getTimerCount()).toBe(0);
      await jest.advanceTimersByTimeAsync(2 * MAX_TIMEOUT_MS);
      expect(called).not.toHaveBeenCalled();
    }
  });

  it('may be cancelled when it has called back', async () => {
    const called = jest.fn();
    const cancel = after(10, called);
    await jest.advanceTimersByTimeAsync(10);
    cancel();
    expect(called).toHaveBeenCalledTimes(1);
  });
});

describe('sleep', () => {
  it('resolves with true when the time has passed, and not before', async () => {
    const passed = sleep(1_000);
    await jest.advanceTimersByTimeAsync(999);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(await passed).toBe(true);
  });

  it('waits longer than setTimeout can', async () => {
    const days = 60; // setTimeout takes less than 25 and fires at once beyond
    let passed: boolean | undefined;
    void sleep(days * DAY_MS).then((result) => (passed = result));
    for (let day = 0; day < days; day++) {
      expect(passed).toBeUndefined();
      await jest.advanceTimersByTimeAsync(DAY_MS);
    }
    expect(passed).toBe(true);
  });

  it('never ends for Infinity, unless the signal aborts, and sets no timer', async () => {
    const stop = new AbortController();
    let passed: boolean | undefined;
    const wait = sleep(Infinity, stop.signal).then((result) => (passed = result));
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(MAX_TIMEOUT_MS);
    expect(passed).toBeUndefined();
    stop.abort();
    expect(await wait).toBe(false);
  });

  it('resolves with false as soon as the signal aborts, and leaves no timer', async () => {
    const stop = new AbortController();
    const passed = sleep(60 * DAY_MS, stop.signal);
    await jest.advanceTimersByTimeAsync(30 * DAY_MS);
    stop.abort();
    expect(await passed).toBe(false);
  });

  it('resolves with false at once where the signal has aborted before', async () => {
    expect(await sleep(1_000, AbortSignal.abort())).toBe(false);
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    const passed = sleep(10, signal);
    await jest.advanceTimersByTimeAsync(10);
    await passed;
    expect(removed).toHaveBeenCalledWith('abort', expect.any(Function));
  });
});

describe('endsWithin', () => {
  it('says true when the work ends in time, and leaves no timer', async () => {
    expect(await endsWithin(Promise.resolve('done'), 1_000)).toBe(true);
  });

  it('says false when the time is up first', async () => {
    const answer = endsWithin(new Promise(() => undefined), 1_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await answer).toBe(false);
  });

  it('rejects where the work rejects in time, and leaves no timer', async () => {
    await expect(endsWithin(Promise.reject(new Error('broken')), 1_000)).rejects.toThrow('broken');
  });

  it('swallows a rejection that comes too late', async () => {
    const work = deferred();
    const answer = endsWithin(work.promise, 10);
    await jest.advanceTimersByTimeAsync(10);
    expect(await answer).toBe(false);
    work.reject(new Error('late'));
    await turn();
  });
});

describe('withTimeLimit', () => {
  const late = () => new Error('too late');

  it('resolves with what the work resolves with in time, and leaves no timer', async () => {
    const makeError = jest.fn(late);
    expect(await withTimeLimit(Promise.resolve('done'), 1_000, makeError)).toBe('done');
    expect(makeError).not.toHaveBeenCalled();
  });

  it('rejects with what the work rejects with in time, and leaves no timer', async () => {
    const error = new Error('broken');
    await expect(withTimeLimit(Promise.reject(error), 1_000, late)).rejects.toBe(error);
  });

  it('rejects with the error that is made when the time is up, and not before', async () => {
    const makeError = jest.fn(late);
    const limited = withTimeLimit(never(), 1_000, makeError);
    const refused = expect(limited).rejects.toThrow('too late');
    await jest.advanceTimersByTimeAsync(999);
    expect(makeError).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    await refused;
    expect(makeError).toHaveBeenCalledTimes(1);
  });

  it('swallows what the work rejects with too late', async () => {
    const work = deferred();
    const refused = expect(withTimeLimit(work.promise, 10, late)).rejects.toThrow('too late');
    await jest.advanceTimersByTimeAsync(10);
    await refused;
    work.reject(new Error('broken'));
    await turn();
  });

  it('waits as long as the work takes for Infinity, and sets no timer', async () => {
    const work = deferred<string>();
    const limited = withTimeLimit(work.promise, Infinity, late);
    expect(jest.getTimerCount()).toBe(0);
    work.resolve('done');
    expect(await limited).toBe('done');
  });
});

describe('a process that stood still', () => {
  const late = () => new Error('too late');
  let port: MessagePort;
  let answer: Promise<unknown>;

  beforeEach(() => {
    jest.useRealTimers();
    const { port1, port2 } = new MessageChannel();
    port = port1;
    answer = new Promise((resolve) => port1.once('message', resolve));
    port2.postMessage('done');
  });

  afterEach(() => {
    port.close();
    jest.useFakeTimers(FAKE_TIMERS);
  });

  function standStill(ms: number): void {
    for (const end = performance.now() + ms; performance.now() < end;);
  }

  it('takes an answer that came meanwhile for one in time', async () => {
    const answers = [answeredWithin(answer, 20, late), endsWithin(answer, 20)];
    standStill(100);
    expect(await Promise.all(answers)).toEqual(['done', true]);
  });

  it('takes none that does not come for longer than it stood still', async () => {
    const since = performance.now();
    const limited = answeredWithin(never(), 50, late);
    standStill(100);
    await expect(limited).rejects.toThrow('too late');
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it('does not let work of its own take longer than it may', async () => {
    const limited = withTimeLimit(sleep(30), 20, late);
    standStill(100);
    await expect(limited).rejects.toThrow('too late');
  });
});

describe('unlessAborted', () => {
  it('passes on what the work ends in', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    const fault = new Error('no');
    await expect(unlessAborted(Promise.reject(fault), signal)).rejects.toBe(fault);
  });

  it('rejects when the signal aborts, though the work fails later', async () => {
    const work = deferred();
    const controller = new AbortController();
    const waiting = unlessAborted(work.promise, controller.signal);
    const reason = new Error('stopped');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(unlessAborted(work.promise, controller.signal)).rejects.toBe(reason);
    work.reject(new Error('too late'));
  });
});

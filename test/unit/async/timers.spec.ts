import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import { endsWithin, sleep } from '../../../lib/async/timers.js';
import { FAKE_TIMERS, turn } from '../fakes.js';

const DAY_MS = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
});

afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
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

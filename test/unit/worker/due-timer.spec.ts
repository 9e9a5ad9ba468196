import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DueTimer } from '../../../lib/worker/due-timer.js';
import { FAKE_TIMERS } from '../fakes.js';

describe('DueTimer', () => {
  let calls: number[];
  let timer: DueTimer;

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    const beganAt = performance.now();
    calls = [];
    timer = new DueTimer(() => calls.push(Math.round(performance.now() - beganAt)));
  });

  afterEach(() => {
    timer.stop();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('calls back when the first of the jobs is due, and once for all that are due by then', () => {
    for (const ms of [500, 300, 300.4, 900]) timer.within(ms);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(299);
    expect(calls).toEqual([]);
    jest.advanceTimersByTime(2_000);
    expect(calls).toEqual([300]);
  });

  it('is told of the next job by whoever was called back', () => {
    timer.within(100);
    jest.advanceTimersByTime(150);
    timer.within(200);
    jest.advanceTimersByTime(500);
    expect(calls).toEqual([100, 350]);
  });

  it('is never early: it waits for the rest where a timer is', () => {
    timer.within(0.2);
    jest.advanceTimersByTime(0);
    expect(calls).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(calls).toEqual([1]);
  });

  it('calls back at most once in 10 ms, where jobs come due one after another', () => {
    const beganAt = performance.now();
    timer.within(1);
    for (let ms = 0; ms < 100; ms++) {
      jest.advanceTimersByTime(1);
      timer.within(0.5);
    }
    expect(calls.length).toBeGreaterThanOrEqual(8);
    expect(calls.length).toBeLessThanOrEqual(11);
    expect(performance.now() - beganAt).toBe(100);
  });

  it('sets no timer that setTimeout cannot hold: polls tell of the job again', () => {
    timer.within(10 * 365 * 24 * 3_600_000);
    timer.within(2 ** 31);
    expect(jest.getTimerCount()).toBe(0);
    timer.within(2 ** 31 - 1);
    expect(jest.getTimerCount()).toBe(1);
    timer.within(50);
    jest.advanceTimersByTime(60);
    expect(calls).toEqual([50]);
  });

  it('forgets all jobs when it is stopped', () => {
    timer.within(50);
    timer.stop();
    expect(jest.getTimerCount()).toBe(0);
    timer.within(70);
    jest.advanceTimersByTime(100);
    expect(calls).toEqual([70]);
  });
});

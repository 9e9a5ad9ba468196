import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ExponentialPause, jittered, pollPauseMs } from '../../../lib/async/pauses.js';
import { FAKE_TIMERS, turn } from '../fakes.js';

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('jittered', () => {
  it('stays within a quarter of what is asked', () => {
    for (let count = 0; count < 200; count++) {
      const ms = jittered(1_000);
      expect(ms).toBeGreaterThanOrEqual(750);
      expect(ms).toBeLessThan(1_250);
    }
  });
});

describe('pollPauseMs', () => {
  it('is never shorter than what is asked, and longer by two fifths at most', () => {
    for (let count = 0; count < 200; count++) {
      const ms = pollPauseMs(1_000);
      expect(ms).toBeGreaterThanOrEqual(1_000);
      expect(ms).toBeLessThan(1_400);
    }
  });
});

describe('ExponentialPause', () => {
  /** Lengths without their jitter. */
  const lengths = (pause: ExponentialPause, count: number) => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    return Array.from({ length: count }, () => pause.next());
  };

  it('doubles from a tenth of a second to five seconds', () => {
    const pause = new ExponentialPause(100, 5_000);
    expect(lengths(pause, 9)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    for (let failures = 10; failures < 5_000; failures++) pause.next();
    expect(pause.next()).toBe(5_000);
  });

  it('stays within a quarter of that, so that many processes do not act at the same moment', () => {
    for (let count = 0; count < 200; count++) {
      const pause = new ExponentialPause(100, 5_000);
      for (const ms of [100, 200, 400]) {
        const length = pause.next();
        expect(length).toBeGreaterThanOrEqual(ms * 0.75);
        expect(length).toBeLessThan(ms * 1.25);
      }
    }
  });

  it('is never longer than its longest, though the first were', () => {
    expect(lengths(new ExponentialPause(100, 50), 2)).toEqual([50, 50]);
  });

  it('begins with the first again after a reset', () => {
    const pause = new ExponentialPause(100, 5_000);
    expect(lengths(pause, 3)).toEqual([100, 200, 400]);
    pause.reset();
    expect(lengths(pause, 2)).toEqual([100, 200]);
  });

  it('waits for its length, each time twice as long', async () => {
    jest.useFakeTimers(FAKE_TIMERS);
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const pause = new ExponentialPause(100, 5_000);
    for (const ms of [100, 200]) {
      let passed: boolean | undefined;
      void pause.wait().then((result) => (passed = result));
      await jest.advanceTimersByTimeAsync(ms - 1);
      expect(passed).toBeUndefined();
      await jest.advanceTimersByTimeAsync(1);
      expect(passed).toBe(true);
    }
  });

  it('ends a wait with false as soon as the signal aborts, and leaves no timer', async () => {
    jest.useFakeTimers(FAKE_TIMERS);
    const stop = new AbortController();
    const wait = new ExponentialPause(100, 5_000).wait(stop.signal);
    await turn();
    stop.abort();
    expect(await wait).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WakeSignal } from '../../../lib/async/wake-signal.js';
import { FAKE_TIMERS, turn } from '../fakes.js';

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
});

afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('WakeSignal', () => {
  const waitOf = (signal: WakeSignal, ms = 1_000) => {
    const wait = { over: false };
    void signal.wait(ms).then(() => (wait.over = true));
    return wait;
  };

  it('waits until the time has passed', async () => {
    const wait = waitOf(new WakeSignal());
    await jest.advanceTimersByTimeAsync(999);
    expect(wait.over).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(wait.over).toBe(true);
  });

  it('ends a wait at once, and leaves no timer', async () => {
    const signal = new WakeSignal();
    const wait = waitOf(signal);
    signal.wake();
    await turn();
    expect(wait.over).toBe(true);
  });

  it('keeps a wake that nobody waits for, once', async () => {
    const signal = new WakeSignal();
    signal.wake();
    signal.wake();
    const first = waitOf(signal);
    await turn();
    expect(first.over).toBe(true);
    const second = waitOf(signal);
    await turn();
    expect(second.over).toBe(false);
    await jest.advanceTimersByTimeAsync(1_000);
  });

  it('does not keep a wake that ended a wait', async () => {
    const signal = new WakeSignal();
    waitOf(signal);
    signal.wake();
    await turn();
    const next = waitOf(signal);
    await turn();
    expect(next.over).toBe(false);
    await jest.advanceTimersByTimeAsync(1_000);
  });
});

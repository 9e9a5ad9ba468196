import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { after, sleep } from '../../../lib/async/timers.js';
import { nextTurn } from '../../../lib/async/turn.js';
import { Loop } from '../../../lib/async/loop.js';
import { WakeSignal } from '../../../lib/async/wake-signal.js';
import { until } from '../../support/until.js';

afterEach(() => {
  jest.useRealTimers();
});

describe('timers that are faked and restored while something waits on them', () => {
  it('let a sleep end that began on the fake ones', async () => {
    jest.useFakeTimers();
    const slept = sleep(10);
    jest.useRealTimers();
    expect(await slept).toBe(true);
  });

  it('let a loop and a wait for a signal go on', async () => {
    let turns = 0;
    const wakeSignal = new WakeSignal();
    const loop = new Loop(async (signal) => {
      turns += 1;
      await wakeSignal.wait(1);
      await sleep(1, signal);
    });
    jest.useFakeTimers();
    loop.start();
    jest.useRealTimers();
    await until(() => turns > 3, { what: 'the loop going on' });
    await loop.stop();
  });

  it('call back once, and not after a cancel', async () => {
    jest.useFakeTimers();
    const [called, cancelled, cancelledLater] = [jest.fn(), jest.fn(), jest.fn()];
    after(5, called);
    after(5, cancelled)();
    const cancel = after(5, cancelledLater);
    jest.useRealTimers();
    cancel();
    await until(() => called.mock.calls.length > 0, { what: 'the call' });
    await sleep(20);
    expect(called).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
    expect(cancelledLater).not.toHaveBeenCalled();
  });

  it('cancel a timer of Node though the fake ones are there when it is cancelled', async () => {
    const called = jest.fn();
    const cancel = after(10, called);
    jest.useFakeTimers();
    cancel();
    jest.useRealTimers();
    await sleep(30);
    expect(called).not.toHaveBeenCalled();
  });

  it('stand still while they are faked, and go by the fake time', async () => {
    jest.useFakeTimers();
    const called = jest.fn();
    after(60_000, called);
    jest.advanceTimersByTime(59_999);
    expect(called).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(called).toHaveBeenCalledTimes(1);
  });
});

describe('nextTurn', () => {
  it('comes though setImmediate is faked', async () => {
    jest.useFakeTimers();
    await nextTurn();
  });
});

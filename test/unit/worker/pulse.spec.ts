import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import { Pulse } from '../../../lib/worker/pulse.js';

describe('The pulse of a loop', () => {
  let time = 0;
  const pulse = () => {
    time = 1_000;
    return new Pulse(() => time);
  };

  it('is not missed before its first beat, and not after it has been stopped', () => {
    const own = pulse();
    time += 1_000_000;
    expect(own.silentMs).toBe(0);
    own.beat();
    own.stop();
    time += 1_000_000;
    expect(own.silentMs).toBe(0);
  });

  it('is missed from the moment on at which the next beat was expected', () => {
    const own = pulse();
    own.beat(300);
    time += 300;
    expect(own.silentMs).toBe(0);
    time += 50;
    expect(own.silentMs).toBe(50);
    own.beat();
    expect(own.silentMs).toBe(0);
    time += 7;
    expect(own.silentMs).toBe(7);
  });

  it('is not missed while the loop waits for something that may take as long as it likes', async () => {
    const own = pulse();
    const { promise, resolve } = deferred();
    own.beat();
    const waiting = own.during(promise);
    time += 1_000_000;
    expect(own.silentMs).toBe(0);
    resolve();
    await waiting;
    time += 10;
    expect(own.silentMs).toBe(10);
  });

  it('goes on where that fails', async () => {
    const own = pulse();
    await expect(own.during(Promise.reject(new Error('no')))).rejects.toThrow('no');
    time += 10;
    expect(own.silentMs).toBe(10);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred, type Deferred } from '../../../lib/async/deferred.js';
import { Loop, type LoopTurn } from '../../../lib/async/loop.js';
import { ExponentialPause } from '../../../lib/async/pauses.js';
import { sleep } from '../../../lib/async/timers.js';
import { FAKE_TIMERS, turn } from '../fakes.js';

let loop: Loop;
let turns: number;
/** What the loop has told, in order. */
let told: string[];

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  jest.spyOn(Math, 'random').mockReturnValue(0.5); // pauses of their exact length
  [turns, told] = [0, []];
});

afterEach(async () => {
  await loop.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** A loop that counts its turns; each takes 10 ms, unless the signal comes first. */
function counting(): Loop {
  return new Loop(async (signal) => {
    turns += 1;
    await sleep(10, signal);
  });
}

/** A loop whose turns may fail, and that pauses for 100, 200, 400 … ms then. */
function retrying(step: LoopTurn): Loop {
  return new Loop(
    (signal, succeeded) => {
      turns += 1;
      return step(signal, succeeded);
    },
    {
      pause: new ExponentialPause(100, 400),
      onFailure: (error, failures) => told.push(`${(error as Error).message} ${failures}`),
      onRecovery: (failures) => told.push(`recovered after ${failures}`),
    },
  );
}

describe('Loop', () => {
  it('runs turn after turn, one at a time, from its start to its stop', async () => {
    loop = counting();
    expect(turns).toBe(0);
    loop.start();
    expect(turns).toBe(1);
    await pass(9);
    expect(turns).toBe(1);
    await pass(21);
    expect(turns).toBe(4);
    await loop.stop();
    await pass(1_000);
    expect(turns).toBe(4);
  });

  it('is not started twice', async () => {
    loop = counting();
    loop.start();
    loop.start();
    await pass(25);
    expect(turns).toBe(3);
  });

  it('may be stopped twice, at once and later, and before it was ever started', async () => {
    loop = counting();
    await loop.stop();
    loop.start();
    await Promise.all([loop.stop(), loop.stop()]);
    await loop.stop();
    await pass(1_000);
    expect(turns).toBe(1);
  });

  it('begins again when it is started after its stop', async () => {
    loop = counting();
    loop.start();
    await loop.stop();
    loop.start();
    await pass(15);
    expect(turns).toBe(3);
  });

  it('aborts the signal of the turn under way, and has stopped when that has ended', async () => {
    let signal!: AbortSignal;
    const end = deferred();
    loop = new Loop((given) => {
      turns += 1;
      signal = given;
      return end.promise;
    });
    loop.start();
    let hasStopped = false;
    const stop = loop.stop().then(() => (hasStopped = true));
    expect(signal.aborted).toBe(true);
    await turn();
    expect(hasStopped).toBe(false);
    end.resolve();
    await stop;
    expect(turns).toBe(1);
  });

  it('gives each turn after a new start a signal of its own', async () => {
    const signals: AbortSignal[] = [];
    loop = new Loop(async (signal) => {
      signals.push(signal);
      await sleep(10, signal);
    });
    loop.start();
    await loop.stop();
    loop.start();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });
});

describe('Loop, where turns fail,', () => {
  it('pauses before the next, each time twice as long, up to the longest', async () => {
    loop = retrying(() => Promise.reject(new Error('no')));
    loop.start();
    await turn();
    for (const [index, ms] of [100, 200, 400, 400].entries()) {
      await pass(ms - 1);
      expect(turns).toBe(index + 1);
      await pass(1);
      expect(turns).toBe(index + 2);
    }
    expect(told).toEqual(['no 1', 'no 2', 'no 3', 'no 4', 'no 5']);
  });

  it('says how many had failed with the first that works, and counts and pauses from the beginning then', async () => {
    const answers = [false, false, true, true, false];
    loop = retrying(async (signal) => {
      if (answers.shift() === false) throw new Error('no');
      await sleep(10, signal);
    });
    loop.start();
    await pass(100 + 200);
    expect(told).toEqual(['no 1', 'no 2']);
    await pass(10 + 10);
    expect(told).toEqual(['no 1', 'no 2', 'recovered after 2', 'no 1']);
    expect(turns).toBe(5);
    await pass(99);
    expect(turns).toBe(5);
    await pass(1);
    expect(turns).toBe(6);
  });

  it('has recovered as soon as a turn says so, and what fails after that is a first failure', async () => {
    const end: Deferred<void> = deferred();
    loop = retrying(async (_signal, succeeded) => {
      if (turns === 1) throw new Error('no');
      if (turns > 2) return sleep(60_000, _signal);
      succeeded();
      succeeded(); // tells nothing more
      await end.promise;
    });
    loop.start();
    await pass(100);
    expect(told).toEqual(['no 1', 'recovered after 1']);
    end.reject(new Error('late'));
    await turn();
    expect(told).toEqual(['no 1', 'recovered after 1', 'late 1']);
    await pass(99);
    expect(turns).toBe(2);
    await pass(1);
    expect(turns).toBe(3);
  });

  it('takes what is thrown at once as what is rejected', async () => {
    loop = retrying(() => {
      throw new Error('thrown');
    });
    loop.start();
    await turn();
    expect(told).toEqual(['thrown 1']);
  });

  it('ends its pause at a stop, and runs no further turn', async () => {
    loop = retrying(() => Promise.reject(new Error('no')));
    loop.start();
    await turn();
    await loop.stop();
    expect(jest.getTimerCount()).toBe(0);
    await pass(1_000);
    expect(turns).toBe(1);
    expect(told).toEqual(['no 1']);
  });

  it('tells of a turn that fails after the stop, and pauses no more', async () => {
    const end = deferred();
    loop = retrying(() => end.promise);
    loop.start();
    const stop = loop.stop();
    end.reject(new Error('interrupted'));
    await stop;
    expect(told).toEqual(['interrupted 1']);
    expect(jest.getTimerCount()).toBe(0);
  });
});

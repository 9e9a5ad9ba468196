import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Batcher, type BatcherSteps } from '../../../lib/async/batcher.js';
import { deferred, type Deferred } from '../../../lib/async/deferred.js';
import { FAKE_TIMERS, turn } from '../fakes.js';

let sent: (readonly number[])[];
let answers: Deferred<void>[];

beforeEach(() => {
  [sent, answers] = [[], []];
});

/** Sends up to `most` at once, and keeps each batch until a test answers it. */
function batcherOf(
  gathers?: BatcherSteps<number>['gathers'],
  most = 3,
  patienceMs?: number,
): Batcher<number> {
  return new Batcher<number>({
    count: (waiting) => Math.min(waiting.length, most),
    send: (batch) => {
      sent.push(batch);
      const answer = deferred();
      answers.push(answer);
      return answer.promise;
    },
    gathers,
    ...(patienceMs !== undefined && { patienceMs }),
  });
}

async function answer(): Promise<void> {
  answers.shift()!.resolve();
  await turn();
}

describe('Batcher', () => {
  it('sends the first item at once, and gathers what comes while it is under way', async () => {
    const batcher = batcherOf();
    batcher.add(1);
    expect(sent).toEqual([[1]]);
    batcher.add(2);
    batcher.add(3);
    await turn();
    expect(sent).toEqual([[1]]);
    await answer();
    expect(sent).toEqual([[1], [2, 3]]);
    await answer();
    batcher.add(4);
    expect(sent).toEqual([[1], [2, 3], [4]]);
    await answer();
  });

  it('lets the next batch leave beside one that is stuck, and not beside more than three', async () => {
    jest.useFakeTimers(FAKE_TIMERS);
    try {
      const batcher = batcherOf(undefined, 1, 1_000);
      for (let n = 1; n <= 6; n++) batcher.add(n);
      for (let second = 0; second < 10; second++) await jest.advanceTimersByTimeAsync(1_000);
      expect(sent).toEqual([[1], [2], [3], [4]]);
      await answer(); // one of the stuck ones
      expect(sent).toHaveLength(4); // the fourth is waited for
      answers.pop()!.resolve();
      await turn();
      expect(sent).toHaveLength(5);
      let isIdle = false;
      void batcher.idle().then(() => (isIdle = true));
      while (answers.length > 0) await answer();
      await turn();
      expect(isIdle).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it('sends as many at once as `count` allows, in the order in which they came', async () => {
    const batcher = batcherOf();
    for (let item = 1; item <= 8; item++) batcher.add(item);
    for (let batch = 0; batch < 4; batch++) await answer();
    expect(sent).toEqual([[1], [2, 3, 4], [5, 6, 7], [8]]);
  });

  it('tells `count` everything that waits', async () => {
    const seen: (readonly number[])[] = [];
    const count = (waiting: readonly number[]) => seen.push([...waiting]) && 1;
    const batcher = new Batcher<number>({ count, send: () => turn() });
    for (const item of [1, 2, 3]) batcher.add(item);
    await batcher.idle();
    expect(seen).toEqual([[1], [2, 3], [3]]);
  });

  it('that gathers before sends together what comes in one turn of the event loop', async () => {
    const batcher = batcherOf('before');
    batcher.add(1);
    await Promise.resolve();
    batcher.add(2);
    expect(sent).toEqual([]);
    await turn();
    expect(sent).toEqual([[1, 2]]);
    batcher.add(3);
    await answer();
    expect(sent).toEqual([[1, 2], [3]]);
    await answer();
  });

  /** Three callers that add their next item when they are answered, though not in the same moment. */
  async function sentFor(gathers?: BatcherSteps<number>['gathers']): Promise<typeof sent> {
    const next = async (item: number) => {
      for (let tick = 0; tick < item; tick++) await Promise.resolve();
      if (item < 20) batcher.add(item + 10);
    };
    const batcher: Batcher<number> = new Batcher<number>({
      count: (waiting) => waiting.length,
      send: async (batch) => {
        sent.push(batch);
        await turn();
        for (const item of batch) void next(item);
      },
      gathers,
    });
    for (const item of [1, 2, 3]) batcher.add(item);
    for (let round = 0; round < 10; round++) await turn();
    return sent;
  }

  it('that gathers between waits for callers that add their next item when they are answered', async () => {
    expect(await sentFor('between')).toEqual([[1], [2, 3, 11], [12, 13, 21], [22, 23]]);
  });

  it('that does not gather between sends what is there', async () => {
    expect((await sentFor()).length).toBeGreaterThan(4);
  });

  it('forgets on `clear` what has not left, and goes on with what comes after that', async () => {
    const batcher = batcherOf();
    for (const item of [1, 2, 3]) batcher.add(item);
    batcher.clear();
    batcher.add(4);
    await answer();
    expect(sent).toEqual([[1], [4]]);
    await answer();
    await batcher.idle();
  });

  it('sends nothing where all was cleared before the first batch left, and can be used again', async () => {
    const batcher = batcherOf('before');
    batcher.add(1);
    batcher.clear();
    await batcher.idle();
    expect(sent).toEqual([]);
    batcher.add(2);
    await turn();
    expect(sent).toEqual([[2]]);
    await answer();
  });

  it('is idle when nothing waits or is under way', async () => {
    const batcher = batcherOf();
    await batcher.idle();
    batcher.add(1);
    batcher.add(2);
    let isIdle = false;
    void batcher.idle().then(() => (isIdle = true));
    await answer();
    expect(isIdle).toBe(false);
    await answer();
    expect(isIdle).toBe(true);
  });
});

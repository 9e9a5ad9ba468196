import { describe, expect, it } from '@jest/globals';
import { Semaphore } from '../../../lib/async/semaphore.js';
import { turn } from '../fakes.js';

describe('Semaphore', () => {
  const never = new AbortController().signal;

  it('lets so many in, and the others in their turn', async () => {
    const semaphore = new Semaphore(2);
    const entered: number[] = [];
    for (const n of [1, 2, 3, 4]) void semaphore.acquire(never).then(() => entered.push(n));
    await turn();
    expect(entered).toEqual([1, 2]);
    semaphore.release();
    await turn();
    expect(entered).toEqual([1, 2, 3]);
    semaphore.release();
    semaphore.release();
    await turn();
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  it('is not kept for one whose signal has aborted', async () => {
    const semaphore = new Semaphore(1);
    const leaving = new AbortController();
    const reason = new Error('shutdown');
    await semaphore.acquire(never);
    const waiting = semaphore.acquire(leaving.signal);
    const next = semaphore.acquire(never);
    leaving.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    semaphore.release();
    await next;
    await expect(semaphore.acquire(leaving.signal)).rejects.toBe(reason);
  });
});

import { describe, expect, it } from '@jest/globals';
import { Places } from '../../lib/queue/places.js';
import { turn } from './fakes.js';

describe('Places', () => {
  const never = new AbortController().signal;

  it('let so many in, and the others in their turn', async () => {
    const places = new Places(2);
    const entered: number[] = [];
    for (const n of [1, 2, 3, 4]) void places.take(never).then(() => entered.push(n));
    await turn();
    expect(entered).toEqual([1, 2]);
    places.leave();
    await turn();
    expect(entered).toEqual([1, 2, 3]);
    places.leave();
    places.leave();
    await turn();
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  it('are not kept for one whose signal has aborted', async () => {
    const places = new Places(1);
    const leaving = new AbortController();
    const reason = new Error('shutdown');
    await places.take(never);
    const waiting = places.take(leaving.signal);
    const next = places.take(never);
    leaving.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    places.leave();
    await next;
    await expect(places.take(leaving.signal)).rejects.toBe(reason);
  });
});

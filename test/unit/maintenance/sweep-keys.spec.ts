import { describe, expect, it } from '@jest/globals';
import { ChorePace } from '../../../lib/maintenance/chore-pace.js';
import { SweepKeys } from '../../../lib/maintenance/sweep-keys.js';
import type { KeyPosition, SweptKeys } from '../../../lib/queue/unique-job-store.js';

const at = (key: string): KeyPosition => ({ kind: 'mail', key });

/** A store that reads up to these positions, one after another, and then to the end. */
function storeOf(...positions: KeyPosition[]) {
  const asked: (KeyPosition | null)[] = [];
  const sweep = (after: KeyPosition | null): Promise<SweptKeys> => {
    asked.push(after);
    return Promise.resolve({ read: 1_000, deleted: 10, reached: positions.shift() ?? null });
  };
  return { asked, chore: new SweepKeys({ sweep }, new ChorePace(() => false)) };
}

describe('SweepKeys', () => {
  const running = new AbortController().signal;

  it('goes on until all keys have been looked at, and is due again in an hour', async () => {
    const { asked, chore } = storeOf(at('a'), at('b'));
    expect(await chore.run(running, { reached: null, now: 0 })).toEqual({
      dueInMs: 3_600_000,
      reached: null,
    });
    expect(asked).toEqual([null, at('a'), at('b')]);
  });

  it('leaves off where its turn ends, and the next one goes on from there', async () => {
    const { asked, chore } = storeOf(at('a'), at('b'));
    const rest = await chore.run(AbortSignal.abort(), { reached: null, now: 0 });
    expect(rest.dueInMs).toBe(0);
    await chore.run(running, { reached: rest.reached, now: 0 });
    expect(asked).toEqual([null, at('a'), at('b')]);
  });

  it.each(['{', '7', '{"kind":1}', '[]'])('begins anew where something else is left: %s', async (reached) => {
    const { asked, chore } = storeOf();
    await chore.run(running, { reached, now: 0 });
    expect(asked).toEqual([null]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import type { Store } from '../support/store.js';

/** One worker of the cluster does a chore at a time. */
export function choresContract(store: Store): void {
  const LONG_MS = 60_000;
  const rest = (dueInMs: number, reached: string | null = null) => ({ dueInMs, reached });

  describe('A chore', () => {
    it('that was never done is due, and is taken by one worker', async () => {
      const { chores } = store.queue;
      expect(await chores.due(['sweep', 'prune'])).toEqual(['sweep', 'prune']);
      expect(await chores.take('prune', 'w-1', LONG_MS)).toMatchObject({ reached: null });
      expect(await chores.due(['sweep', 'prune'])).toEqual(['sweep']);
      expect(await chores.take('prune', 'w-2', LONG_MS)).toBeNull();
      expect(await chores.take('prune', 'w-1', LONG_MS)).toBeNull(); // not even twice by the same one
      expect(await chores.take('sweep', 'w-2', LONG_MS)).not.toBeNull();
    });

    it('is taken by one of many that try at the same moment', async () => {
      const workers = Array.from({ length: 12 }, (_, n) => `w-${n}`);
      for (const name of ['never done', 'done before']) {
        if (name === 'done before') {
          await store.queue.chores.take(name, 'w', LONG_MS);
          await store.queue.chores.giveBack(name, 'w', rest(0));
        }
        const taken = await Promise.all(
          workers.map((worker) => store.queue.chores.take(name, worker, LONG_MS)),
        );
        expect(taken.filter((chore) => chore !== null)).toHaveLength(1);
      }
    });

    it('tells the time, and what the worker before has left', async () => {
      const { chores } = store.queue;
      const left = JSON.stringify({ text: `💾 ${'x'.repeat(50_000)}` });
      const { now } = (await chores.take('prune', 'w-1', LONG_MS))!;
      expect(now).toBeGreaterThan(Date.parse('2026-01-01')); // milliseconds
      expect(now).toBeLessThan(Date.parse('2126-01-01'));
      await chores.giveBack('prune', 'w-1', rest(0, left));
      expect(await chores.take('prune', 'w-2', LONG_MS)).toMatchObject({ reached: left });
      await chores.giveBack('prune', 'w-2', rest(0));
      expect(await chores.take('prune', 'w-1', LONG_MS)).toMatchObject({ reached: null });
    });

    it('is due again when its worker has said so', async () => {
      const { chores } = store.queue;
      await chores.take('prune', 'w-1', LONG_MS);
      await chores.giveBack('prune', 'w-1', rest(LONG_MS));
      expect(await chores.due(['prune'])).toEqual([]);
      expect(await chores.take('prune', 'w-1', LONG_MS)).toBeNull();
      await chores.take('sweep', 'w-1', LONG_MS);
      await chores.giveBack('sweep', 'w-1', rest(150));
      expect(await chores.take('sweep', 'w-1', LONG_MS)).toBeNull();
      await until(async () => (await chores.due(['sweep'])).length === 1);
      expect(await chores.take('sweep', 'w-2', LONG_MS)).not.toBeNull();
    });

    it('of a worker that has died is free when its time is over', async () => {
      const { chores } = store.queue;
      await chores.take('prune', 'dead', 150);
      expect(await chores.take('prune', 'alive', LONG_MS)).toBeNull();
      await until(async () => (await chores.due(['prune'])).length === 1);
      expect(await chores.take('prune', 'alive', LONG_MS)).not.toBeNull();
    });

    it('is not given back by a worker that has lost it', async () => {
      const { chores } = store.queue;
      await chores.take('prune', 'frozen', 1);
      await until(async () => (await chores.take('prune', 'alive', LONG_MS)) !== null);
      await chores.giveBack('prune', 'frozen', rest(0, 'old news'));
      expect(await chores.due(['prune'])).toEqual([]);
      await chores.giveBack('prune', 'alive', rest(0, 'news'));
      expect(await chores.take('prune', 'other', LONG_MS)).toMatchObject({ reached: 'news' });
    });

    it('comes before others that have not been due for as long', async () => {
      const { chores } = store.queue;
      for (const [name, dueInMs] of [
        ['first', 0],
        ['later', 20],
      ] as const) {
        await chores.take(name, 'w', LONG_MS);
        await chores.giveBack(name, 'w', rest(dueInMs));
      }
      await until(async () => (await chores.due(['later', 'first'])).length === 2);
      expect(await chores.due(['later', 'never done', 'first'])).toEqual(['never done', 'first', 'later']);
    });
  });
}

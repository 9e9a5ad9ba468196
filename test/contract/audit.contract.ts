import { describe, expect, it } from '@jest/globals';
import type { Store } from '../support/store.js';

const HOUR_MS = 3_600_000;

/** What people have done to jobs by hand, and what became of it. */
export function auditContract(store: Store): void {
  const begin = (target: string) => store.queue.audit.begin({ who: 'ada', action: 'retry', target });

  describe('The audit', () => {
    it('has an action from its beginning on, and with its end what became of it', async () => {
      const { audit } = store.queue;
      const hostile = `'"<b>\u202e💾\\ ${'x'.repeat(900)}`;
      const first = await audit.begin({ who: hostile, action: 'delete', target: hostile });
      const second = await begin('job 2');
      const third = await begin('job 3');
      await audit.end(first, { changed: 3, problem: null });
      await audit.end(second, { changed: null, problem: hostile });
      await audit.end(4711, { changed: 1, problem: null });
      const { actions, nowMs } = await audit.read(null, 10);
      expect(actions).toMatchObject([
        { seq: third, who: 'ada', action: 'retry', target: 'job 3', changed: null, problem: null },
        { seq: second, changed: null, problem: hostile },
        { seq: first, who: hostile, action: 'delete', target: hostile, changed: 3, problem: null },
      ]);
      for (const { atMs } of actions) expect(Math.abs(nowMs - atMs)).toBeLessThan(60_000);
    });

    it('is read a page at a time, the newest first', async () => {
      const { audit } = store.queue;
      expect(await audit.read(null, 10)).toMatchObject({ actions: [] });
      for (const target of ['a', 'b', 'c', 'd', 'e']) await begin(target);
      const first = await audit.read(null, 2);
      expect(first.actions.map(({ target }) => target)).toEqual(['e', 'd']);
      const second = await audit.read(first.actions[1]!.seq, 2);
      expect(second.actions.map(({ target }) => target)).toEqual(['c', 'b']);
      const third = await audit.read(second.actions[1]!.seq, 2);
      expect(third.actions.map(({ target }) => target)).toEqual(['a']);
      expect((await audit.read(third.actions[0]!.seq, 2)).actions).toEqual([]);
    });

    it('loses what is older than it is to be kept, and nothing else', async () => {
      const { audit } = store.queue;
      await begin('old');
      await begin('old too');
      await store.letPass(2 * HOUR_MS);
      await begin('young');
      expect(await audit.prune(3 * HOUR_MS)).toBe(0);
      expect(await audit.prune(HOUR_MS)).toBe(2);
      expect(await audit.prune(HOUR_MS)).toBe(0);
      expect((await audit.read(null, 10)).actions.map(({ target }) => target)).toEqual(['young']);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { readyKinds } from '../../lib/client/ready-kinds.js';
import { KIND, LONG, SHORT, type Store } from '../support/store.js';

const HOUR = 3_600_000;
const BOUNDS = { longTransactionMs: 86_400_000, deadRows: 1_000_000_000 };

/** What keeps jobs from running, on every store. */
export function inspectorContract(store: Store): void {
  const look = () => store.queue.inspector;
  const enqueue = (kind: string, more = {}) => store.client.enqueue(kind, null, more);
  const schedule = (name: string, nextAt: Date | null) =>
    store.queue.schedules.save({
      ...{ name, kind: KIND, rule: '{}', payload: null, anchorAt: new Date(0), nextAt },
      ...{ declaredAt: null, declaredBy: null, revision: null },
    });
  const ago = (ms: number) => new Date(Date.now() - ms);

  describe('The kinds that are ready', () => {
    it('are none in an empty queue', async () => {
      expect(await readyKinds(store.queue.kinds)).toEqual([]);
    });

    it('are each told once of which jobs could start, in order, and for how long the oldest could', async () => {
      await store.client.enqueueMany([
        { kind: 'b', runAt: ago(2 * HOUR), priority: 5 },
        { kind: 'b', runAt: ago(HOUR) },
        { kind: 'a' },
        { kind: 'later', delayMs: HOUR },
      ]);
      const kinds = await readyKinds(store.queue.kinds);
      expect(kinds.map(({ kind }) => kind)).toEqual(['a', 'b']);
      expect(kinds[0]!.oldestMs).toBeLessThan(HOUR);
      expect(kinds[1]!.oldestMs).toBeGreaterThan(2 * HOUR - 60_000);
      expect(kinds[1]!.oldestMs).toBeLessThan(3 * HOUR);
    });

    it('include that of a scheduled job whose time has come, though no worker has marked it due', async () => {
      await enqueue('soon', { delayMs: 1 });
      await sleep(20);
      expect(await readyKinds(store.queue.kinds)).toMatchObject([{ kind: 'soon' }]);
    });

    it('are without those of jobs that run, or have ended', async () => {
      await enqueue(KIND, { id: 'runs' });
      await store.claimOne();
      await enqueue(KIND, { id: 'ends' });
      await store.client.cancel('ends');
      expect(await readyKinds(store.queue.kinds)).toEqual([]);
    });
  });

  describe('The inspector', () => {
    it('finds nothing that keeps jobs from being kept here', async () => {
      const { schemaVersion, isUsable, table } = await look().inspect(BOUNDS);
      expect({ schemaVersion, isUsable }).toEqual({ schemaVersion: 2, isUsable: true });
      expect(table).toMatch(/jobs$/);
    });

    it('tells of schedules whose tick is overdue, the latest first, and of no others', async () => {
      await schedule('hour', ago(HOUR));
      await schedule('day', ago(24 * HOUR));
      await schedule('paused', ago(HOUR));
      await store.queue.schedules.pause('paused', null);
      await schedule('soon', new Date(Date.now() + HOUR));
      await schedule('over', null);
      const overdue = await look().overdueSchedules(60_000, 10);
      expect(overdue.map(({ name }) => name)).toEqual(['day', 'hour']);
      expect(overdue[0]).toMatchObject({ kind: KIND, nextAt: expect.any(Date) });
      expect(overdue[1]!.lateMs).toBeGreaterThan(HOUR - 60_000);
      expect(overdue[1]!.lateMs).toBeLessThan(HOUR + 60_000);
      expect(await look().overdueSchedules(2 * HOUR, 10)).toMatchObject([{ name: 'day' }]);
      expect(await look().overdueSchedules(60_000, 1)).toMatchObject([{ name: 'day' }]);
    });

    it('tells of jobs whose lease has run out', async () => {
      expect(await look().expiredLeases(0)).toEqual({ count: 0, longestMs: 0 });
      await enqueue(KIND, { id: 'dead' });
      await store.claimOne(SHORT);
      await enqueue(KIND, { id: 'alive' });
      await store.claimOne(LONG);
      await sleep(20);
      const { count, longestMs } = await look().expiredLeases(0);
      expect(count).toBe(1);
      expect(longestMs).toBeGreaterThan(0);
      expect(await look().expiredLeases(HOUR)).toEqual({ count: 0, longestMs: 0 });
    });
  });
}

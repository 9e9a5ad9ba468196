import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TypeOrmJobQueue } from '../../lib/storage/typeorm/typeorm-job-queue.js';
import { inTimeZone } from '../support/time-zone.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, type SqlStore } from '../support/store.js';

const HOURS = 3_600_000;

/** Promise 10: the database's clock alone decides. */
export function clockContract(store: SqlStore): void {
  /** Shifts `new Date()` and `Date.now()` of this process. Timers and `performance.now()` stay as they are. */
  const shiftClock = (byMs: number) => {
    jest.useFakeTimers({
      now: Date.now() + byMs,
      doNotFake: [
        ...([
          'nextTick',
          'queueMicrotask',
          'hrtime',
          'performance',
          'setImmediate',
          'clearImmediate',
        ] as const),
        ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
      ],
    });
  };
  afterEach(() => void jest.useRealTimers());
  const enqueue = (id: string, settings: object = {}) =>
    store.client.enqueue(KIND, null, { id, ...settings });
  const claimIds = async () => (await store.queue.claim([KIND], 9, LONG)).map(({ id }) => id);
  /** Expects an instant to be the database's now, give or take the duration of a test. */
  const expectNear = async (actual: number, offsetMs = 0) => {
    expect(Math.abs(actual - (await store.now()) - offsetMs)).toBeLessThan(20_000);
  };

  describe.each([
    ['six hours ahead', 6 * HOURS],
    ['six hours behind', -6 * HOURS],
  ])('10. With the clock of the application %s', (_name, byMs) => {
    it('a job is ready at once, and stored with the database’s time', async () => {
      shiftClock(byMs);
      const job = await enqueue('now');
      await expectNear(job.runAt.getTime());
      await expectNear(job.createdAt.getTime());
      await expectNear(await store.instant('now', 'run_at'));
      await expectNear(await store.instant('now', 'created_at'));
      expect(await claimIds()).toEqual(['now']);
    });

    it('a job is ready when the database has reached its runAt', async () => {
      const now = await store.now();
      shiftClock(byMs);
      await enqueue('past', { runAt: new Date(now - 60_000) });
      await enqueue('future', { runAt: new Date(now + 60_000) });
      expect(await claimIds()).toEqual(['past']);
      expect((await store.job('future')).runAt.getTime()).toBe(Math.floor(now + 60_000));
    });

    it('a delay counts from the database’s now', async () => {
      shiftClock(byMs);
      await enqueue('soon', { delayMs: 150 });
      await enqueue('later', { delayMs: HOURS });
      await expectNear(await store.instant('later', 'run_at'), HOURS);
      await until(async () => (await claimIds()).join() === 'soon');
      const [dueAt, claimedAt] = await Promise.all(
        ['run_at', 'locked_at'].map((column) => store.instant('soon', column)),
      );
      expect(claimedAt).toBeGreaterThanOrEqual(dueAt!);
      expect(await claimIds()).toEqual([]);
    });

    it('a lease lasts as long as requested', async () => {
      await enqueue('leased');
      shiftClock(byMs);
      const job = await store.claimOne();
      await expectNear(job.lockedUntil.getTime(), LONG.leaseMs);
      await expectNear(await store.instant('leased', 'locked_until'), LONG.leaseMs);
      await expectNear(await store.instant('leased', 'locked_at'));
      expect(await store.queue.reclaim(3)).toEqual([]);
      expect(await store.queue.renew([{ ...job, alone: false }], HOURS)).toEqual(['written']);
      await expectNear(await store.instant('leased', 'locked_until'), HOURS);
      expect(await store.queue.reclaim(3)).toEqual([]);
    });

    it('an expired lease is reclaimed', async () => {
      await enqueue('expired');
      shiftClock(byMs);
      await store.claimOne(SHORT);
      expect(await store.reclaimed(1)).toMatchObject([{ id: 'expired' }]);
      await expectNear(await store.instant('expired', 'updated_at'));
    });

    it('a retry is due after its delay', async () => {
      await enqueue('soon');
      await enqueue('z later');
      const jobs = await store.queue.claim([KIND], 2, LONG);
      shiftClock(byMs);
      const delays = [100, HOURS];
      await store.queue.settle(
        jobs.map((job, n) => ({ ...job, outcome: { type: 'retry', delayMs: delays[n]!, lastError: 'x' } })),
      );
      await expectNear(await store.instant('z later', 'run_at'), HOURS);
      await until(async () => (await claimIds()).join() === 'soon');
      expect(await claimIds()).toEqual([]);
    });

    it('a worker runs ready jobs and leaves the others', async () => {
      shiftClock(byMs);
      await enqueue('later', { delayMs: HOURS });
      await enqueue('now');
      await store.work({ [KIND]: () => 'fine' }, { leaseMs: 500 });
      expect(await store.ended('now')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
      await expectNear(await store.instant('now', 'last_attempt_at'));
      expect(await store.job('later')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
    });
  });

  /** Connects a DataSource whose sessions are in another time zone. */
  const connectIn = async (zone: string): Promise<DataSource> => {
    if (store.isPostgres) {
      const options = `-c TimeZone=${zone} -c DateStyle=German -c IntervalStyle=sql_standard`;
      return store.database.connect({ extra: { options } });
    }
    if (!store.isMysql) return store.database.connect(); // SQLite has no sessions
    const offset = { 'Asia/Tokyo': '+09:00', 'America/St_Johns': '-03:30' }[zone]!;
    const dataSource = await store.database.connect({ timezone: offset });
    const { pool } = dataSource.driver as unknown as {
      pool: { on(event: string, hook: (connection: { query(sql: string): void }) => void): void };
    };
    pool.on('connection', (connection) => connection.query(`SET time_zone = '${offset}'`));
    return dataSource;
  };

  describe.each([
    ['Asia/Tokyo', 'America/St_Johns'],
    ['America/St_Johns', 'Asia/Tokyo'],
  ])('10. With the process in %s and the session in %s', (zone, sessionZone) => {
    const instants = ['run_at', 'created_at', 'updated_at', 'last_attempt_at', 'locked_until'] as const;

    it('every instant and the set of ready jobs stay the same', async () => {
      const dataSource = await connectIn(sessionZone);
      const abroad = new TypeOrmJobQueue(dataSource, store.queueSettings());
      try {
        await inTimeZone(zone, async () => {
          expect(new Date(2026, 0, 1).getTimezoneOffset()).toBe(zone === 'Asia/Tokyo' ? -540 : 210);
          await abroad.open();
          const client = store.clientOf(abroad);
          const runAt = new Date('2020-03-29T01:30:00.123Z'); // within the hour that clocks in Europe skip
          await client.enqueue(KIND, null, { id: 'past', runAt });
          await client.enqueue(KIND, null, { id: 'now' });
          await client.enqueue(KIND, null, { id: 'later', delayMs: HOURS });
          await client.enqueue(KIND, null, { id: 'date', runAt: new Date((await store.now()) + HOURS) });
          const claimed = await abroad.claim([KIND], 9, LONG);
          expect(claimed.map(({ id }) => id)).toEqual(['past', 'now']);
          await abroad.settle([
            { ...claimed[0]!, outcome: { type: 'retry', delayMs: HOURS, lastError: 'x' } },
          ]);
          expect(await abroad.reclaim(3)).toEqual([]);
          await abroad.renew([{ ...claimed[1]!, alone: false }], 2 * HOURS);
          expect(await abroad.claim([KIND], 9, LONG)).toEqual([]);
        });
        for (const id of ['past', 'now', 'later', 'date']) {
          const [here, there] = [await store.job(id), await abroad.get(id)];
          expect(there).toEqual(here);
          for (const column of instants) {
            const field = column.replace(/_(.)/g, (_all, letter: string) => letter.toUpperCase());
            const read = (here as unknown as Record<string, Date | undefined>)[field];
            if (read === undefined) continue;
            expect(Math.abs(read.getTime() - (await store.instant(id, column)))).toBeLessThanOrEqual(1);
          }
        }
        await expectNear(await store.instant('past', 'run_at'), HOURS);
        await expectNear(await store.instant('now', 'locked_until'), 2 * HOURS);
        await expectNear(await store.instant('later', 'run_at'), HOURS);
        await expectNear(await store.instant('date', 'run_at'), HOURS);
      } finally {
        await abroad.close();
        await dataSource.destroy();
      }
    });
  });
}

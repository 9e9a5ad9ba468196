import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import type { JobSchedules } from '../../lib/client/job-schedules.js';
import { defineJob } from '../../lib/job/definition.js';
import {
  InvalidJobError,
  InvalidPayloadError,
  InvalidScheduleError,
  UnknownKindError,
} from '../../lib/job/errors.js';
import { ScheduleDeclaredError, UnknownScheduleError } from '../../lib/job/schedule-errors.js';
import { Declarer } from '../../lib/schedules/declarer.js';
import { KIND, SqlStore, type Store } from '../support/store.js';
import { registryOf, Scheduling, tickJobs, type Declarations } from '../support/scheduling.js';

const HOUR = 3_600_000;
const NAME = 'sync.4711';

/** What `JobSchedules` promises. */
export function jobSchedulesContract(store: Store): void {
  const scheduling = new Scheduling(store);
  let schedules: JobSchedules;

  beforeEach(() => {
    schedules = scheduling.schedules();
  });

  const hourly = { everyMs: HOUR, kind: KIND } as const;
  const daily = { cron: '0 3 * * *', kind: KIND } as const;

  const declare = async (declares: Declarations): Promise<JobSchedules> => {
    await new Declarer(store.queue, registryOf(declares), tickJobs(), 'p').declare();
    return scheduling.schedules(declares);
  };

  describe('upsert', () => {
    it('makes a schedule with all that it was told', async () => {
      const options = {
        ...({ missed: 'all', overlap: 'queue' } as const),
        ...{ missedWithinMs: 5, jitterMs: 6, priority: 7, maxAttempts: 8 },
        ...{
          tags: ['a'],
          payload: { customer: [1] },
          startAt: new Date('2099-01-01'),
          endAt: new Date('2100-01-01'),
        },
      };
      const spec = { cron: '0 3 * * *', timeZone: 'Europe/Berlin', kind: KIND, ...options };
      const made = await schedules.upsert(` ${NAME} `, spec);
      expect(made).toMatchObject({
        ...{ ...spec, name: NAME, enabled: true, declared: false, paused: false, overdue: false, skipped: 0 },
        nextAt: new Date('2099-01-01T02:00:00Z'),
      });
      const read = await schedules.get(NAME);
      expect({ ...read, updatedAt: made.updatedAt, createdAt: made.createdAt }).toEqual(made);
      expect(
        Object.keys(read!).filter((key) => ['lastTick', 'lastJobId', 'pausedAt', 'everyMs'].includes(key)),
      ).toEqual([]);
      expect(await schedules.get('none')).toBeNull();
    });

    it('counts intervals from the first call', async () => {
      const first = await schedules.upsert(NAME, hourly);
      const second = await schedules.upsert(NAME, { ...hourly, priority: 2 });
      expect(second).toMatchObject({ priority: 2, nextAt: first.nextAt });
      const faster = await schedules.upsert(NAME, { ...hourly, everyMs: HOUR / 4 });
      const { anchorAt } = await scheduling.row(NAME);
      expect(faster.nextAt!.getTime()).toBe(anchorAt.getTime() + HOUR / 4);
    });

    it('writes nothing where nothing has changed', async () => {
      await schedules.upsert(NAME, { ...hourly, payload: { b: 1, a: 'é' } });
      const before = await scheduling.row(NAME);
      await schedules.upsert(NAME, { ...hourly, payload: { b: 1, a: 'é' } });
      expect(await scheduling.row(NAME)).toEqual(before);
    });

    it('by many callers at once makes one schedule, as one of them wants it', async () => {
      const calls = Array.from({ length: 8 }, (_, n) => schedules.upsert(NAME, { ...hourly, priority: n }));
      const priorities = (await Promise.all(calls)).map(({ priority }) => priority);
      expect(priorities).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await schedules.list()).toHaveLength(1);
    });

    it('refuses the name of a schedule that is declared in code, here or elsewhere', async () => {
      const declaring = await declare({ [NAME]: hourly });
      for (const one of [declaring, schedules])
        await expect(one.upsert(NAME, hourly)).rejects.toThrow(ScheduleDeclaredError);
      await expect(scheduling.schedules({ other: hourly }).upsert('other', hourly)).rejects.toThrow(
        ScheduleDeclaredError,
      );
      expect(await schedules.get('other')).toBeNull();
    });

    it.each([
      ['name', '', hourly],
      ['name', 'x'.repeat(231), hourly],
      ['name', NAME, { ...hourly, name: 'other' }],
      ['kind', NAME, { everyMs: HOUR }],
      ['cron', NAME, { kind: KIND }],
      ['cron', NAME, { ...daily, cron: '0 0 30 2 *' }],
      ['timeZone', NAME, { ...daily, timeZone: 'Mars/Olympus' }],
      ['everyMs', NAME, { ...hourly, everyMs: 10 }],
      ['overlap', NAME, { ...hourly, overlap: 'never' }],
      ['payload', NAME, { ...hourly, payload: () => 1 }],
      ['payload', NAME, { ...hourly, payload: new Uint8Array([1]) }],
    ])('refuses a wrong %s, and writes nothing', async (path, name, spec) => {
      const error: unknown = await schedules.upsert(name, spec as never).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InvalidScheduleError);
      expect(error).toMatchObject({ path });
      expect(await schedules.list()).toEqual([]);
    });

    it('refuses a payload that jobs of the kind cannot have, and a kind that is not served', async () => {
      const definition = defineJob(KIND, {
        version: 1,
        schema: {
          '~standard': {
            version: 1,
            vendor: 'test',
            validate: (value: unknown) => (value === 'good' ? { value } : { issues: [{ message: 'bad' }] }),
          },
        } as never,
      });
      const checked = scheduling.schedules({}, {}, { definitionOf: () => definition });
      await expect(checked.upsert(NAME, { ...hourly, payload: 'bad' })).rejects.toThrow(InvalidPayloadError);
      await expect(checked.upsert(NAME, { ...hourly, payload: 'good' })).resolves.toMatchObject({
        payload: 'good',
      });
      const requireKind = (kind: string) => {
        throw new UnknownKindError(kind, []);
      };
      const strict = scheduling.schedules({}, { requireKind });
      await expect(strict.upsert('other', hourly)).rejects.toThrow(UnknownKindError);
      expect(await schedules.get('other')).toBeNull();
    });
  });

  describe('list', () => {
    it('gives pages by name, and those of a kind', async () => {
      for (const name of ['c', 'a', 'b'])
        await schedules.upsert(name, { ...hourly, kind: name === 'b' ? 'x' : KIND });
      const names = async (...args: Parameters<JobSchedules['list']>) =>
        (await schedules.list(...args)).map(({ name }) => name);
      expect(await names()).toEqual(['a', 'b', 'c']);
      expect(await names({ limit: 2 })).toEqual(['a', 'b']);
      expect(await names({ after: 'b' })).toEqual(['c']);
      expect(await names({ kind: KIND, limit: 1, after: 'a' })).toEqual(['c']);
      await expect(schedules.list({ limit: 501 })).rejects.toMatchObject({ path: 'limit' });
      await expect(schedules.list({ limit: 0 })).rejects.toThrow(InvalidScheduleError);
    });

    it('tells which are overdue', async () => {
      await schedules.upsert('late', hourly);
      await schedules.upsert('paused', hourly);
      const now = await scheduling.now();
      await scheduling.setNext('late', new Date(now - 2 * 60_000));
      await scheduling.setNext('paused', new Date(now - 2 * 60_000));
      await schedules.pause('paused');
      await schedules.upsert('soon', hourly);
      expect((await schedules.list()).map(({ name, overdue }) => [name, overdue])).toEqual([
        ['late', true],
        ['paused', false],
        ['soon', false],
      ]);
    });

    if (store instanceof SqlStore)
      it('shows a schedule whose row somebody has written by hand, and hides no other for it', async () => {
        for (const name of ['a', 'b', 'c']) await schedules.upsert(name, hourly);
        await store.sql(`UPDATE nest_jobs_schedules SET rule = '{"rule":"soon"}' WHERE name = 'b'`);
        const list = await schedules.list();
        expect(list.map(({ name, enabled, everyMs }) => [name, enabled, everyMs])).toEqual([
          ['a', true, HOUR],
          ['b', false, undefined],
          ['c', true, HOUR],
        ]);
        expect(list[1]!.unreadable).toMatch(/is no rule of a schedule/);
        expect(await schedules.get('b')).toMatchObject({ unreadable: list[1]!.unreadable });
        expect((await schedules.upsert('b', hourly)).unreadable).toBeUndefined();
      });
  });

  describe('pause and resume', () => {
    it('give back the schedule as it is then', async () => {
      const { nextAt } = await schedules.upsert(NAME, daily);
      const paused = await schedules.pause(NAME, { reason: 'audit' });
      expect(paused).toMatchObject({ paused: true, pausedReason: 'audit', nextAt });
      expect(await schedules.get(NAME)).toMatchObject({ paused: true, pausedReason: 'audit' });
      expect(await schedules.resume(NAME)).toMatchObject({ paused: false, nextAt });
      const resumed = await schedules.get(NAME);
      expect(resumed).toMatchObject({ paused: false, nextAt });
      expect(resumed).not.toHaveProperty('pausedReason');
      expect(await schedules.resume(NAME)).toMatchObject({ paused: false, nextAt });
    });

    it('refuse what is not there, and what they do not know', async () => {
      for (const call of [
        () => schedules.pause('none'),
        () => schedules.resume('none'),
        () => schedules.trigger('none'),
        () => schedules.backfill('none', { from: new Date(0), to: new Date(1) }),
      ])
        await expect(call()).rejects.toThrow(UnknownScheduleError);
      expect(await schedules.delete('none')).toBe(false);
      await schedules.upsert(NAME, hourly);
      await expect(schedules.pause(NAME, { reason: 'x'.repeat(1_001) })).rejects.toMatchObject({
        path: 'reason',
      });
      await expect(schedules.resume(NAME, { missed: 'some' as never })).rejects.toMatchObject({
        path: 'missed',
      });
      await expect(schedules.pause(NAME, { outside: true, manager: {} as never })).rejects.toThrow(
        InvalidJobError,
      );
    });
  });

  describe('trigger', () => {
    it('makes a job now, also while the schedule is paused, and leaves its next tick alone', async () => {
      await schedules.upsert(NAME, { ...hourly, payload: 'usual', priority: 3, tags: ['a'] });
      const { nextAt } = await schedules.pause(NAME);
      const job = await schedules.trigger(NAME);
      expect(job).toMatchObject({
        kind: KIND,
        payload: 'usual',
        schedule: NAME,
        priority: 3,
        tags: ['a'],
        state: 'ready',
      });
      expect(Math.abs(job.tick!.getTime() - (await scheduling.now()))).toBeLessThan(20_000);
      expect(await store.job(job.id)).toMatchObject({ tick: job.tick, schedule: NAME });
      expect(await schedules.get(NAME)).toMatchObject({ nextAt, lastJobId: job.id });
      expect(await schedules.trigger(NAME, { payload: { other: 1 } })).toMatchObject({
        payload: { other: 1 },
      });
    });

    it('calls the function that makes the payload, where the schedule is declared', async () => {
      const declares = { [NAME]: { ...hourly, payload: (tick: Date) => ({ at: tick.getTime() }) } };
      const early = scheduling.schedules(declares);
      const first = await early.trigger(NAME); // no worker has written the row yet
      expect(first.payload).toEqual({ at: first.tick!.getTime() });
      const declaring = await declare(declares);
      const job = await declaring.trigger(NAME);
      expect(job.payload).toEqual({ at: job.tick!.getTime() });
      await expect(schedules.trigger(NAME)).rejects.toMatchObject({ path: 'payload' });
      expect(await schedules.trigger(NAME, { payload: 'own' })).toMatchObject({ payload: 'own' });
    });
  });

  describe('backfill', () => {
    const day = (date: number, hour = 3) => new Date(Date.UTC(2026, 0, date, hour));

    it('makes the job of each tick once, both ends included', async () => {
      await schedules.upsert(NAME, { ...daily, payload: 'p', overlap: 'skip' });
      expect(await schedules.backfill(NAME, { from: day(1), to: day(5) })).toEqual({
        created: 5,
        existing: 0,
      });
      expect(await schedules.backfill(NAME, { from: day(1), to: day(7) })).toEqual({
        created: 2,
        existing: 5,
      });
      const jobs = await scheduling.jobs(
        NAME,
        [1, 2, 3, 4, 5, 6, 7].map((date) => day(date)),
      );
      expect(jobs).toHaveLength(7);
      expect(jobs[0]).toMatchObject({ schedule: NAME, tick: day(1), payload: 'p', state: 'ready' });
      expect(await schedules.backfill(NAME, { from: day(1, 4), to: day(2, 2) })).toEqual({
        created: 0,
        existing: 0,
      });
    });

    it('with dryRun counts what it would make, and makes nothing', async () => {
      await schedules.upsert(NAME, daily);
      await schedules.backfill(NAME, { from: day(1), to: day(2) });
      const span = { from: day(1), to: day(5) };
      const counted = await schedules.backfill(NAME, { ...span, dryRun: true });
      expect(counted).toEqual({ created: 3, existing: 2 });
      expect(await schedules.backfill(NAME, span)).toEqual(counted);
    });

    it('refuses a dryRun that is neither true nor false, and makes nothing', async () => {
      await schedules.upsert(NAME, daily);
      const span = { from: day(1), to: day(3) };
      const refused = schedules.backfill(NAME, { ...span, dryRun: 'no' as never });
      await expect(refused).rejects.toThrow(InvalidScheduleError);
      expect(await schedules.backfill(NAME, { ...span, dryRun: true })).toEqual({ created: 3, existing: 0 });
    });

    it('by several callers at once makes each job once', async () => {
      await schedules.upsert(NAME, daily);
      const calls = Array.from({ length: 4 }, () => schedules.backfill(NAME, { from: day(1), to: day(28) }));
      const created = (await Promise.all(calls)).map((answer) => answer.created);
      expect(created.reduce((sum, count) => sum + count)).toBe(28);
    });

    it('of over a thousand ticks needs a limit, and then makes the oldest', async () => {
      await schedules.upsert(NAME, { ...daily, cron: '* * * * *' });
      const span = { from: day(1), to: day(2) };
      await expect(schedules.backfill(NAME, span)).rejects.toMatchObject({ path: 'limit' });
      expect(await schedules.backfill(NAME, { ...span, limit: 1_200 })).toEqual({
        created: 1_200,
        existing: 0,
      });
      expect(await schedules.backfill(NAME, { ...span, limit: 5_000 })).toEqual({
        created: 241,
        existing: 1_200,
      });
    }, 120_000);

    it('refuses what is no span', async () => {
      await schedules.upsert(NAME, daily);
      const [from, to] = [day(1), day(2)];
      await expect(schedules.backfill(NAME, { from: 'x' as never, to })).rejects.toMatchObject({
        path: 'from',
      });
      await expect(schedules.backfill(NAME, { from, to: new Date(NaN) })).rejects.toMatchObject({
        path: 'to',
      });
      await expect(schedules.backfill(NAME, { from, to, limit: 0 })).rejects.toMatchObject({ path: 'limit' });
    });
  });

  describe('delete', () => {
    it('leaves the jobs, and refuses a schedule that a process declares', async () => {
      await schedules.upsert(NAME, hourly);
      const { id } = await schedules.trigger(NAME);
      expect(await schedules.delete(NAME)).toBe(true);
      expect(await schedules.delete(NAME)).toBe(false);
      expect(await store.job(id)).toMatchObject({ schedule: NAME });
      const declaring = await declare({ [NAME]: hourly });
      for (const one of [declaring, schedules])
        await expect(one.delete(NAME)).rejects.toThrow(ScheduleDeclaredError);
      if (!(store instanceof SqlStore)) return;
      await store.sql(`UPDATE nest_jobs_schedules SET seen_at = '2001-01-01 00:00:00'`);
      expect(await schedules.delete(NAME)).toBe(true);
    });
  });

  describe('In a transaction', () => {
    /** Runs `work` in a transaction, which the calls join by its manager or because they run in it. */
    const inTransaction = (
      work: (options: { manager?: EntityManager }) => Promise<unknown>,
      isGiven: boolean,
    ) =>
      isGiven
        ? store.dataSource.transaction((manager) => work({ manager }))
        : store.queue.transaction(() => work({}));

    it.each([
      ['whose manager they are given', true],
      ['that they run in', false],
    ])('%s all calls take effect with the commit', async (_how, isGiven) => {
      const span = { from: new Date('2026-01-01'), to: new Date('2026-01-03') };
      for (const name of ['paused', 'gone', 'kept']) await schedules.upsert(name, daily);
      await schedules.pause('kept');
      const all = async (options: object) => {
        await schedules.upsert(NAME, hourly, options);
        await schedules.pause('paused', options);
        await schedules.resume('kept', options);
        await schedules.delete('gone', options);
        const { id } = await schedules.trigger('paused', options);
        expect(await schedules.backfill('paused', { ...span, ...options })).toEqual({
          created: 2,
          existing: 0,
        });
        return id;
      };
      const state = async () => ({
        made: (await schedules.get(NAME)) !== null,
        gone: (await schedules.get('gone')) === null,
        paused: (await schedules.get('paused'))!.paused,
        resumed: !(await schedules.get('kept'))!.paused,
        lastJobId: (await schedules.get('paused'))!.lastJobId !== undefined,
        jobs: (await scheduling.jobs('paused', [new Date('2026-01-01T03:00:00Z')])).length,
      });
      const undone = inTransaction(async (options) => {
        await all(options);
        throw new Error('rolled back');
      }, isGiven);
      await expect(undone).rejects.toThrow('rolled back');
      const before = { made: false, gone: false, paused: false, resumed: false, lastJobId: false, jobs: 0 };
      expect(await state()).toEqual(before);
      await inTransaction(all, isGiven);
      expect(await state()).toEqual({
        made: true,
        gone: true,
        paused: true,
        resumed: true,
        lastJobId: true,
        jobs: 1,
      });
    });

    it('a backfill that was made before does not end it, and "outside" is not part of it', async () => {
      if (!store.hasManyWriters) return;
      await schedules.upsert(NAME, daily);
      const span = { from: new Date('2026-01-01'), to: new Date('2026-01-03') };
      await schedules.backfill(NAME, { from: span.from, to: new Date('2026-01-02') });
      const undone = store.queue.transaction(async () => {
        await schedules.upsert('outside', daily, { outside: true });
        expect(await schedules.backfill(NAME, span)).toEqual({ created: 1, existing: 1 });
        expect(await schedules.backfill(NAME, span)).toEqual({ created: 0, existing: 2 });
        throw new Error('rolled back');
      });
      await expect(undone).rejects.toThrow('rolled back');
      expect(await schedules.get('outside')).not.toBeNull();
      expect(await scheduling.jobs(NAME, [new Date('2026-01-02T03:00:00Z')])).toEqual([]);
    });
  });
}

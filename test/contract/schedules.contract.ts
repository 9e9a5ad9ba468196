import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { JobCancelledError } from '../../lib/job/control-errors.js';
import { JobsEvents } from '../../lib/events/jobs-events.js';
import type { Job } from '../../lib/job/job.js';
import type { ScheduleStore } from '../../lib/queue/schedule-store.js';
import type { ScheduleSpec } from '../../lib/schedules/schedule-options.js';
import { Declarer } from '../../lib/schedules/declarer.js';
import { KIND, LONG, SqlStore, withMethods, type Store } from '../support/store.js';
import { registryOf, Scheduling, tickJobs } from '../support/scheduling.js';
import { until } from '../support/until.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NAME = 'nightly';

/** What schedules promise: once per tick in any number of processes, by the clock of the database, along with deployments. */
export function schedulesContract(store: Store): void {
  const scheduling = new Scheduling(store);

  const every = (everyMs: number, options: Partial<ScheduleSpec> = {}): ScheduleSpec =>
    ({ everyMs, overlap: 'allow', kind: KIND, ...options }) as ScheduleSpec;

  const upsert = (spec: ScheduleSpec, name = NAME) => scheduling.schedules().upsert(name, spec as never);

  /** The ticks of an interval up to now, from its anchor. */
  const ticksOf = async (name: string, everyMs: number, from = 1): Promise<Date[]> => {
    const { anchorAt, lastTick } = await scheduling.row(name);
    const count = Math.round(((lastTick ?? anchorAt).getTime() - anchorAt.getTime()) / everyMs);
    return Array.from(
      { length: count - from + 1 },
      (_, n) => new Date(anchorAt.getTime() + (n + from) * everyMs),
    );
  };

  const jobCount = async (kind = KIND): Promise<number> => {
    const claimed = await store.queue.claim([kind], 5_000, LONG);
    await store.queue.release(claimed);
    return claimed.length;
  };

  /** Lets a tick be due: that at the anchor of its interval. */
  const setDue = async (name = NAME) => scheduling.setNext(name, (await scheduling.row(name)).anchorAt);

  /** Waits until a schedule has been fired so that its next tick is in the future. */
  const movedOn = async (name = NAME) => {
    const now = await scheduling.now();
    return scheduling.row(name, ({ nextAt }) => nextAt === null || nextAt.getTime() > now);
  };

  describe('Each tick', () => {
    it('makes one job, though twenty processes look for it, and is not late', async () => {
      await upsert(every(SECOND));
      for (let n = 0; n < 20; n++) scheduling.start();
      await until(async () => (await ticksOf(NAME, SECOND)).length >= 4);
      await scheduling.stop();
      const ticks = await ticksOf(NAME, SECOND);
      const jobs = await scheduling.jobs(NAME, ticks);
      expect(jobs.map(({ tick }) => tick)).toEqual(ticks);
      expect(await jobCount()).toBe(ticks.length);
      const late = jobs
        .map(({ createdAt, tick }) => createdAt.getTime() - tick!.getTime())
        .toSorted((a, b) => a - b);
      expect(late[0]).toBeGreaterThanOrEqual(0);
      expect(late[Math.floor(late.length / 2)]).toBeLessThan(2_000);
    }, 120_000);

    it('is the argument of the handler, and a job that no schedule has made has none', async () => {
      const seen: [string | undefined, Date | undefined][] = [];
      await store.work({
        [KIND]: (job, { tick }) => void seen.push([(job as Job).schedule, tick]),
      });
      scheduling.start({ declares: { [NAME]: every(HOUR) } });
      const { nextAt: tick } = await setDue();
      scheduling.start({ declares: { [NAME]: every(HOUR) } });
      await until(() => seen.length > 0);
      await store.client.enqueue(KIND);
      await until(() => seen.length > 1);
      expect(seen).toEqual([
        [NAME, tick],
        [undefined, undefined],
      ]);
    });

    it('of a hundred schedules in one second is fired in time, and each once', async () => {
      for (let n = 0; n < 100; n++) await upsert(every(HOUR), `s${n}`);
      const now = await scheduling.now();
      for (let n = 0; n < 100; n++) await scheduling.setNext(`s${n}`, new Date(now + 100));
      for (let n = 0; n < 3; n++) scheduling.start();
      await until(async () => (await jobCount()) >= 100);
      expect(await jobCount()).toBe(100);
    }, 120_000);

    it('moves its job by the jitter, and stays what it is', async () => {
      await upsert(every(HOUR, { jitterMs: HOUR }));
      const { nextAt } = await setDue();
      scheduling.start();
      await movedOn();
      const [job] = await scheduling.jobs(NAME, [nextAt!]);
      expect(job!.tick).toEqual(nextAt);
      expect(job!.runAt.getTime()).toBeGreaterThan(nextAt!.getTime());
      expect(job!.runAt.getTime()).toBeLessThan(nextAt!.getTime() + HOUR);
    });

    it('gives its job priority, attempts, tags and payload', async () => {
      await upsert(
        every(HOUR, { priority: 3, maxAttempts: 7, tags: ['a', 'ä'], payload: { customer: 'é' } }),
      );
      const { nextAt } = await setDue();
      scheduling.start();
      await movedOn();
      expect(await scheduling.jobs(NAME, [nextAt!])).toMatchObject([
        { priority: 3, maxAttempts: 7, tags: ['a', 'ä'], payload: { customer: 'é' }, schedule: NAME },
      ]);
    });
  });

  describe('The clock of the process', () => {
    afterEach(() => void jest.useRealTimers());

    it.each([-6 * HOUR, 6 * HOUR])('changes nothing when it is %i ms wrong', async (byMs) => {
      const doNotFake = ['nextTick', 'queueMicrotask', 'hrtime', 'performance', 'setImmediate'] as const;
      const timers = [
        'clearImmediate',
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
      ] as const;
      const now = await scheduling.now();
      if (store instanceof SqlStore)
        jest.useFakeTimers({ now: Date.now() + byMs, doNotFake: [...doNotFake, ...timers] });
      scheduling.start({ declares: { [NAME]: every(SECOND), hourly: { cron: '0 * * * *', kind: KIND } } });
      await until(async () => (await ticksOf(NAME, SECOND)).length >= 2);
      await scheduling.stop();
      const ticks = await ticksOf(NAME, SECOND);
      expect(await scheduling.jobs(NAME, ticks)).toHaveLength(ticks.length);
      expect(Math.abs(ticks[0]!.getTime() - now)).toBeLessThan(30_000);
      const { nextAt, createdAt } = await scheduling.row('hourly');
      expect(nextAt!.getTime() - createdAt.getTime()).toBeGreaterThan(0);
      expect(nextAt!.getTime() - createdAt.getTime()).toBeLessThanOrEqual(HOUR);
    });
  });

  describe('A declared schedule', () => {
    it('counts its intervals from the first declaration, also after a deployment', async () => {
      const before = await scheduling.now();
      scheduling.start({ declares: { [NAME]: every(HOUR) } });
      const { anchorAt, nextAt, createdAt } = await scheduling.row(NAME);
      expect(anchorAt.getTime()).toBeGreaterThanOrEqual(before);
      expect(anchorAt.getTime()).toBeLessThanOrEqual(createdAt.getTime() + 1);
      expect(nextAt!.getTime()).toBe(anchorAt.getTime() + HOUR);
      await scheduling.stop();
      scheduling.start({ declares: { [NAME]: every(HOUR, { priority: 1 }), other: every(HOUR) } });
      await scheduling.row('other');
      expect(await scheduling.row(NAME)).toMatchObject({ anchorAt, nextAt, revision: 2 });
    });

    it('is written once by twenty processes that start together', async () => {
      for (let n = 0; n < 20; n++) scheduling.start({ declares: { [NAME]: every(HOUR) } });
      const first = await scheduling.row(NAME);
      const last = await scheduling.row(NAME, ({ declaredBy }) => declaredBy !== null);
      await scheduling.stop();
      expect(await scheduling.row(NAME)).toMatchObject({ revision: 1, nextAt: first.nextAt });
      expect(last.nextAt).toEqual(first.nextAt);
    });

    it('is fired by a process that declares it, and by no other', async () => {
      const old = scheduling.start({ declares: { [NAME]: every(HOUR) } });
      await scheduling.row(NAME);
      await old.stop();
      const { nextAt } = await setDue();
      const sign = 'sign';
      scheduling.start({ declares: { [sign]: every(SECOND) } });
      await scheduling.row(sign, ({ lastTick }) => lastTick !== null);
      await until(async () => (await ticksOf(sign, SECOND)).length >= 3);
      expect(await scheduling.row(NAME)).toMatchObject({ nextAt, lastTick: null });
      scheduling.start({ declares: { [NAME]: every(HOUR) } });
      await movedOn();
      expect(await scheduling.jobs(NAME, [nextAt!])).toHaveLength(1);
    });

    it('that ticks at other instants goes on from now, and keeps what it has done', async () => {
      const old = scheduling.start({ declares: { [NAME]: every(HOUR) } });
      const { nextAt: tick } = await setDue();
      await old.stop();
      const other = scheduling.start({ declares: { [NAME]: every(HOUR) } });
      await movedOn();
      await other.stop();
      await scheduling.schedules().pause(NAME, { reason: 'audit' });
      await scheduling.setNext(NAME, new Date((await scheduling.now()) - 5 * MINUTE));
      scheduling.start({ declares: { [NAME]: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' } } });
      const row = await scheduling.row(NAME, ({ rule }) => rule.includes('Berlin'));
      expect(row).toMatchObject({
        lastTick: tick,
        pausedReason: 'audit',
        lastJobId: `${NAME}@${tick!.toISOString()}`,
      });
      expect(row.nextAt!.getTime()).toBeGreaterThan(await scheduling.now());
    });

    it('that changes in another way keeps a tick that is due', async () => {
      const old = scheduling.start({ declares: { [NAME]: every(HOUR) } });
      const { anchorAt } = await scheduling.row(NAME);
      await old.stop();
      await scheduling.setNext(NAME, new Date(anchorAt.getTime() - HOUR));
      scheduling.start({ declares: { [NAME]: every(HOUR, { payload: 2 }) } });
      await movedOn();
      expect(await scheduling.jobs(NAME, [anchorAt])).toMatchObject([{ payload: 2 }]);
    });

    it('that is not enabled has no next tick', async () => {
      scheduling.start({ declares: { [NAME]: every(HOUR, { enabled: false }) } });
      expect((await scheduling.row(NAME)).nextAt).toBeNull();
      scheduling.start({ declares: { [NAME]: every(HOUR) } });
      await scheduling.row(NAME, ({ nextAt }) => nextAt !== null);
    });

    it('takes the name of one that was made at run time', async () => {
      await upsert(every(HOUR));
      const { anchorAt } = await scheduling.row(NAME);
      scheduling.start({ declares: { [NAME]: every(HOUR) } });
      expect(await scheduling.row(NAME, ({ declaredAt }) => declaredAt !== null)).toMatchObject({ anchorAt });
    });

    it('is written again where its row was deleted by hand', async () => {
      const registry = registryOf({ [NAME]: every(HOUR) });
      const declarer = new Declarer(store.queue, registry, tickJobs(), 'p');
      await declarer.declare();
      await store.queue.schedules.delete(NAME);
      await declarer.declare();
      await scheduling.row(NAME);
    });
  });

  describe('Two releases side by side', () => {
    const declarerOf = (spec: ScheduleSpec, name: string, schedules: ScheduleStore = store.queue.schedules) =>
      new Declarer({ schedules }, registryOf({ [NAME]: spec }), tickJobs(), name);

    it('follow the word of the process that began last, and an older one never writes back', async () => {
      const older = declarerOf(every(HOUR), 'older');
      await older.declare();
      await until(async () => (await scheduling.now()) > (await scheduling.row(NAME)).declaredAt!.getTime());
      const newer = declarerOf(every(MINUTE), 'newer');
      await newer.declare();
      const written = await scheduling.row(NAME);
      expect(written).toMatchObject({ declaredBy: 'newer' });
      await older.declare();
      await older.declare();
      expect(await scheduling.row(NAME)).toMatchObject({
        rule: written.rule,
        declaredBy: 'newer',
        revision: 2,
      });
    });

    it('so does one that was frozen between its look and its write', async () => {
      const { schedules } = store.queue;
      let thaw!: () => void;
      const isFrozen = new Promise<void>((resolve) => (thaw = resolve));
      const slow: ScheduleStore = Object.create(schedules, {
        save: {
          value: async (...args: Parameters<ScheduleStore['save']>) =>
            isFrozen.then(() => schedules.save(...args)),
        },
      }) as ScheduleStore;
      const older = declarerOf(every(HOUR), 'older', slow).declare();
      const since = await scheduling.now();
      await until(async () => (await scheduling.now()) > since + 20);
      await declarerOf(every(MINUTE), 'newer').declare();
      thaw();
      await older;
      expect((await scheduling.row(NAME)).declaredBy).toBe('newer');
    });

    it('are fired by the newer one, with its payload, and by the older one alone when that is gone', async () => {
      const spec = (payload: string, everyMs: number) => every(everyMs, { payload: () => payload });
      scheduling.start({ declares: { [NAME]: spec('old', HOUR) } });
      await scheduling.row(NAME);
      const newer = scheduling.start({ declares: { [NAME]: spec('new', SECOND) } });
      await until(async () => (await ticksOf(NAME, SECOND)).length >= 3);
      const before = await scheduling.jobs(NAME, await ticksOf(NAME, SECOND));
      expect(new Set(before.map(({ payload }) => payload))).toEqual(new Set(['new']));
      await newer.stop();
      const { lastTick } = await scheduling.row(NAME);
      await until(async () => ((await scheduling.row(NAME)).lastTick ?? 0) > lastTick!, {
        what: 'a later tick',
      });
      await scheduling.stop();
      const last = (await scheduling.row(NAME)).lastTick!;
      expect(await scheduling.jobs(NAME, [last])).toMatchObject([{ payload: 'old' }]);
    }, 120_000);

    it('hear the older one again when no process of the newer one was seen for minutes', async () => {
      if (!(store instanceof SqlStore)) return;
      const older = declarerOf(every(HOUR), 'older');
      await older.declare();
      await until(async () => (await scheduling.now()) > (await scheduling.row(NAME)).declaredAt!.getTime());
      await declarerOf(every(MINUTE), 'newer').declare();
      await older.declare();
      expect((await scheduling.row(NAME)).declaredBy).toBe('newer');
      await store.sql(
        `UPDATE nest_jobs_schedules SET seen_at = created_at, created_at = '2001-01-01 00:00:00'`,
      );
      await store.sql(`UPDATE nest_jobs_schedules SET seen_at = created_at`);
      await older.declare();
      expect((await scheduling.row(NAME)).declaredBy).toBe('older');
    });
  });

  describe('Ticks that were missed', () => {
    /** Fires a schedule whose first tick was so long ago. @returns how old its ticks with jobs are, in ticks */
    const missedBy = async (options: Partial<ScheduleSpec>, lateMs = 10 * MINUTE, everyMs = MINUTE) => {
      const startAt = new Date((await scheduling.now()) - lateMs);
      await upsert(every(everyMs, { ...options, startAt }));
      await scheduling.setNext(NAME, startAt);
      scheduling.start();
      const { lastTick } = await movedOn();
      await scheduling.stop();
      const count = Math.round((lastTick!.getTime() - startAt.getTime()) / everyMs) + 1;
      const ticks = Array.from({ length: count }, (_, n) => new Date(startAt.getTime() + n * everyMs));
      const jobs = await scheduling.jobs(NAME, ticks);
      return jobs.map(({ tick }) => (startAt.getTime() + lateMs - tick!.getTime()) / everyMs);
    };

    it('are made up for by the last of them', async () => {
      expect(await missedBy({})).toEqual([0]);
    });

    it('are passed over with "skip", and told of', async () => {
      const told = scheduling.told('scheduleSkipped');
      expect(await missedBy({ missed: 'skip' }, 3 * HOUR, HOUR + 20 * MINUTE)).toEqual([]);
      expect(told).toMatchObject([{ schedule: NAME, reason: 'missed', count: 3 }]);
      expect(store.logged('warn', 'has missed 3 ticks')).toBe(true);
    });

    it('are made up for one by one with "all", each with its tick', async () => {
      expect(await missedBy({ missed: 'all', overlap: 'skip' })).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    });

    it('are made up for by a thousand at most', async () => {
      const ages = await missedBy({ missed: 'all' }, 1_500 * SECOND, SECOND);
      expect(ages.length).toBeGreaterThanOrEqual(1_000);
      expect(ages[0]).toBeLessThan(1_000); // the newest of them
    }, 120_000);

    it('are not made up for when they are older than missedWithinMs', async () => {
      const window = { missedWithinMs: 4.5 * MINUTE };
      expect(await missedBy({ missed: 'all', ...window })).toEqual([4, 3, 2, 1, 0]);
      await store.queue.schedules.delete(NAME);
      expect(await missedBy({ ...window, missedWithinMs: 30_000 }, 70 * MINUTE, 2 * HOUR)).toEqual([]);
    });

    it('were not missed when they are a few seconds late', async () => {
      await upsert(every(SECOND, { missed: 'skip' }));
      const nextAt = new Date((await scheduling.now()) - 2_500);
      await scheduling.setNext(NAME, nextAt);
      scheduling.start();
      await movedOn();
      const ticks = [0, 1, 2].map((n) => new Date(nextAt.getTime() + n * SECOND));
      expect((await scheduling.jobs(NAME, ticks.slice(0, 1))).length).toBe(1);
    });
  });

  describe('A tick that meets a job which has not ended', () => {
    it('is skipped and counted, and told of once', async () => {
      const told = scheduling.told('scheduleSkipped');
      await upsert(every(SECOND, { overlap: 'skip' }));
      scheduling.start();
      await scheduling.row(NAME, ({ skipped }) => skipped >= 3);
      await scheduling.stop();
      expect(await jobCount()).toBe(1);
      expect(told.slice(0, 3)).toMatchObject([
        { schedule: NAME, kind: KIND, reason: 'overlap', count: 1, inRow: 1 },
        { inRow: 2 },
        { inRow: 3 },
      ]);
      expect(store.logs.filter(({ message }) => message.includes('its last job has not ended'))).toHaveLength(
        1,
      );
    });

    it('waits with "queue", so that no two run at once and none is lost but those in between', async () => {
      let [running, most] = [0, 0];
      const seen: Date[] = [];
      await store.work({
        [KIND]: async (_job, { tick }) => {
          most = Math.max(most, ++running);
          seen.push(tick!);
          const now = await scheduling.now();
          if (seen.length < 3) await until(async () => (await scheduling.now()) > now + 2_300);
          running -= 1;
        },
      });
      await upsert(every(SECOND, { overlap: 'queue' }));
      scheduling.start();
      await until(() => seen.length >= 3);
      await scheduling.stop();
      expect(most).toBe(1);
      const { anchorAt, skipped } = await scheduling.row(NAME);
      const places = seen.slice(0, 2).map((tick) => (tick.getTime() - anchorAt.getTime()) / SECOND);
      expect(places[1]).toBe(places[0]! + 1);
      expect(skipped).toBeGreaterThan(0);
    }, 120_000);

    it('cancels it with "cancel"', async () => {
      const told = scheduling.told('scheduleCancelled');
      await upsert(every(SECOND, { overlap: 'cancel' }));
      scheduling.start();
      await until(() => told.length > 0);
      await scheduling.stop();
      expect(await store.job(told[0]!.job.id)).toMatchObject({ status: 'CANCELLED', schedule: NAME });
      expect(await jobCount()).toBe(1);
    });

    it('stops a job that runs at once with "cancel", and not only with the next heartbeat', async () => {
      const reasons: unknown[] = [];
      await store.work(
        {
          [KIND]: (_job, { signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                reasons.push(signal.reason);
                reject(signal.reason as Error);
              });
            }),
        },
        { leaseMs: 600_000, heartbeatMs: 300_000 },
      );
      const told = scheduling.told('scheduleCancelled');
      await upsert(every(SECOND, { overlap: 'cancel' }));
      scheduling.start();
      await until(() => reasons.length > 0);
      await scheduling.stop();
      expect(reasons[0]).toBeInstanceOf(JobCancelledError);
      expect(await store.ended(told[0]!.job.id)).toMatchObject({ status: 'CANCELLED', attemptsDone: 1 });
    });
  });

  describe('A payload that is made by a function', () => {
    it('is made for each tick, and may take its time', async () => {
      const payload = async (tick: Date) => {
        await until(async () => (await scheduling.now()) > tick.getTime() + 200);
        return { day: tick.toISOString() };
      };
      scheduling.start({ declares: { [NAME]: every(SECOND, { payload }) } });
      await until(async () => (await ticksOf(NAME, SECOND)).length >= 2);
      await scheduling.stop();
      for (const job of await scheduling.jobs(NAME, await ticksOf(NAME, SECOND)))
        expect(job.payload).toEqual({ day: job.tick!.toISOString() });
    });

    it('that fails is told of, tried again, and holds up no other schedule', async () => {
      const told = scheduling.told('scheduleFailed');
      let isBroken = true;
      const payload = () => {
        if (isBroken) throw new Error('no customers');
        return 'fine';
      };
      const circle: { self?: unknown } = {};
      circle.self = circle;
      const never = () => new Promise(() => undefined);
      const broken = {
        never: every(SECOND, { payload: never }),
        circle: every(SECOND, { payload: () => circle }),
      };
      scheduling.start({ declares: { [NAME]: every(HOUR, { payload }), ...broken, good: every(SECOND) } });
      const tick = (await setDue()).nextAt!;
      scheduling.start({ declares: { [NAME]: every(HOUR, { payload }) } });
      await until(() => told.some(({ schedule }) => schedule === NAME));
      expect(store.logged('error', 'could not make the job of')).toBe(true);
      await until(async () => (await ticksOf('good', SECOND)).length >= 4);
      expect((await scheduling.row(NAME)).nextAt).toEqual(tick);
      expect(await scheduling.row('never')).toMatchObject({ lastTick: null });
      expect(told.some(({ schedule }) => schedule === 'circle')).toBe(true);
      isBroken = false;
      await movedOn();
      expect(await scheduling.jobs(NAME, [tick])).toMatchObject([{ payload: 'fine' }]);
    }, 120_000);

    it('of a job that the database refuses holds up no other schedule', async () => {
      if (!(store instanceof SqlStore)) return;
      await upsert(every(SECOND), 'bad');
      await upsert(every(SECOND), 'good');
      const { schedules } = store.queue;
      const refused: ScheduleStore = Object.create(schedules, {
        fire: {
          value: (...[fires]: Parameters<ScheduleStore['fire']>) =>
            schedules.fire(
              fires.map((fire) =>
                fire.name !== 'bad'
                  ? fire
                  : {
                      ...fire,
                      jobs: fire.jobs.map((one) => ({ ...one, job: { ...one.job, kind: null as never } })),
                    },
              ),
            ),
        },
      }) as ScheduleStore;
      const told = scheduling.told('scheduleFailed');
      const queue = Object.create(store.queue, { schedules: { value: refused } }) as typeof store.queue;
      scheduling.start({ queue });
      await until(async () => (await ticksOf('good', SECOND)).length >= 3 && told.length > 0);
      expect(told[0]).toMatchObject({ schedule: 'bad', failures: 1 });
      expect((await scheduling.row('bad')).lastTick).toBeNull();
    });
  });

  describe('A pause', () => {
    it('keeps ticks from coming, and none of them comes late', async () => {
      await upsert(every(SECOND));
      scheduling.start();
      await scheduling.row(NAME, ({ lastTick }) => lastTick !== null);
      const { pausedAt } = await scheduling.schedules().pause(NAME, { reason: 'audit' });
      await until(async () => (await scheduling.now()) > pausedAt!.getTime() + 2_500);
      const during = await scheduling.row(NAME);
      const resumedAt = await scheduling.now();
      const { nextAt } = await scheduling.schedules().resume(NAME);
      expect(nextAt!.getTime()).toBeGreaterThan(resumedAt);
      const after = await scheduling.row(NAME, ({ lastTick }) => lastTick!.getTime() >= nextAt!.getTime());
      await scheduling.stop();
      const ticks = await ticksOf(NAME, SECOND);
      const jobs = await scheduling.jobs(NAME, ticks);
      const between = ticks.filter((tick) => tick > during.lastTick! && tick < nextAt!);
      expect(between.length).toBeGreaterThan(0);
      expect(await scheduling.jobs(NAME, between)).toEqual([]);
      expect(jobs.length).toBeGreaterThan(0);
      expect(after.pausedAt).toBeNull();
    });

    it.each([
      ['last', 1],
      ['all', 4],
    ] as const)(
      'that ends with "%s" makes up for %i ticks, whatever the rule says',
      async (missed, count) => {
        await upsert(every(HOUR, { missed: 'skip', missedWithinMs: 0 }));
        await scheduling.schedules().pause(NAME);
        const { anchorAt } = await scheduling.row(NAME);
        const ticks = [3, 2, 1, 0].map((n) => new Date(anchorAt.getTime() - n * HOUR));
        await scheduling.setNext(NAME, ticks[0]!);
        scheduling.start();
        await scheduling.schedules().resume(NAME, { missed });
        await movedOn();
        const made = await scheduling.jobs(NAME, ticks);
        expect(made.map(({ tick }) => tick)).toEqual(ticks.slice(-count));
        expect((await scheduling.row(NAME)).catchUp).toBeNull();
      },
    );
  });

  describe('A schedule that is made at run time', () => {
    it('is fired by a process that was running before', async () => {
      scheduling.start({ declares: { other: every(HOUR) } });
      await scheduling.row('other');
      await upsert(every(SECOND));
      await until(async () => (await ticksOf(NAME, SECOND)).length >= 2);
    });

    it('is fired rather by a process that serves its kind, and a little later by another one', async () => {
      const [here, elsewhere] = [new JobsEvents(), new JobsEvents()];
      const fired = { here: 0, elsewhere: 0 };
      await upsert(every(SECOND));
      const queueOf = (place: keyof typeof fired) => {
        const { schedules } = store.queue;
        const counting: ScheduleStore = Object.create(schedules, {
          fire: {
            value: async (...args: Parameters<ScheduleStore['fire']>) => {
              const answers = await schedules.fire(...args);
              fired[place] += answers.filter(({ outcome }) => outcome === 'made').length;
              return answers;
            },
          },
        }) as ScheduleStore;
        return Object.create(store.queue, { schedules: { value: counting } }) as typeof store.queue;
      };
      scheduling.start({ serves: ['other'], queue: queueOf('elsewhere'), events: elsewhere });
      const server = scheduling.start({ queue: queueOf('here'), events: here });
      await until(() => fired.here >= 3);
      expect(fired.elsewhere).toBe(0);
      await server.stop();
      await until(() => fired.elsewhere >= 1);
    });

    it('ends at its endAt', async () => {
      const now = await scheduling.now();
      await upsert(every(SECOND, { endAt: new Date(now + 2_500) }));
      scheduling.start();
      const { lastTick } = await scheduling.row(NAME, ({ nextAt }) => nextAt === null);
      expect(lastTick!.getTime()).toBeLessThanOrEqual(now + 2_500);
      expect(await jobCount()).toBe((await ticksOf(NAME, SECOND)).length);
    });
  });

  it('Schedules go on after the database did not answer, which is told of once', async () => {
    const { schedules } = store.queue;
    let isDown = true;
    const failing: ScheduleStore = Object.create(schedules, {
      upcoming: {
        value: (...args: Parameters<ScheduleStore['upcoming']>) =>
          isDown ? Promise.reject(new Error('connection lost')) : schedules.upcoming(...args),
      },
    }) as ScheduleStore;
    const failed = scheduling.told('schedulingFailed');
    await upsert(every(SECOND));
    scheduling.start({
      queue: withMethods(
        Object.create(store.queue, { schedules: { value: failing } }) as typeof store.queue,
        {},
      ),
    });
    await until(() => failed.length >= 3);
    isDown = false;
    await scheduling.row(NAME, ({ lastTick }) => lastTick !== null);
    expect(store.logs.filter(({ message }) => message.includes('Could not look for schedules'))).toHaveLength(
      1,
    );
    expect(store.logged('log', 'Fires schedules again')).toBe(true);
  });
}

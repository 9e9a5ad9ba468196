import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../lib/async/deferred.js';
import { JobKinds } from '../../lib/client/job-kinds.js';
import { JobPausedError, KindTimeoutError } from '../../lib/job/control-errors.js';
import { InvalidJobError } from '../../lib/job/errors.js';
import type { JobContext } from '../../lib/job/job.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import { KIND, LONG, SqlStore, withMethods, type Store } from '../support/store.js';
import { until } from '../support/until.js';

const HOUR = 3_600_000;
const OTHER = 'report';
const REPORT = { workerId: 'w', controlsSeen: 0, about: '{}', counts: [] };

/** Pausing kinds, the workers that obey, and the register of workers. */
export function kindsContract(store: Store): void {
  const kinds = () => new JobKinds(store.queue);
  const controls = async () => {
    const { now: _now, ...rest } = await store.queue.kinds.controls();
    return rest;
  };
  const undone = (work: () => Promise<unknown>) =>
    expect(
      store.client.transaction(async () => {
        await work();
        throw new Error('undone');
      }),
    ).rejects.toThrow('undone');
  /** A worker that starts jobs, and the ids of those in order. */
  const working = async (settings = {}, queue = store.queue) => {
    const started: string[] = [];
    const note = (job: { readonly id: string }) => void started.push(job.id);
    const worker = await store.work({ [KIND]: note, [OTHER]: note }, settings, queue);
    return { started, worker };
  };
  /** A worker that is up has run this job. */
  const isUp = async (id = 'up') => {
    await store.client.enqueue(OTHER, null, { id });
    await store.ended(id);
  };

  describe('6. The controls', () => {
    it('are none at first', async () => {
      expect(await controls()).toEqual({ changed: 0, pauses: [] });
    });

    it('tell of a pause, and since when, until when and why', async () => {
      const endsAt = new Date(Date.now() + HOUR);
      await kinds().pause(` ${KIND} `, { until: endsAt, reason: 'no server', stopRunning: true });
      const { changed, pauses } = await controls();
      expect(changed).toBe(1);
      expect(pauses).toHaveLength(1);
      const [{ since, leftMs, ...pause } = { since: null, leftMs: null }] = pauses;
      expect(pause).toEqual({ kind: KIND, until: endsAt, reason: 'no server', stopsRunning: true });
      expect(Math.abs(since!.getTime() - Date.now())).toBeLessThan(60_000);
      expect(leftMs).toBeGreaterThan(HOUR - 60_000);
      expect(leftMs).toBeLessThan(HOUR + 60_000);
    });

    it('have a number that rises with every change', async () => {
      const { kinds: port } = store.queue;
      const terms = { until: null, reason: null, stopsRunning: false };
      expect(await port.pause(KIND, terms)).toBe(1);
      expect(await port.pause('*', terms)).toBe(2);
      expect(await port.pause(KIND, terms)).toBe(3);
      expect(await port.resume(KIND)).toBe(true);
      const { changed, pauses } = await controls();
      expect(changed).toBe(4);
      expect(pauses).toMatchObject([{ kind: '*', leftMs: null }]);
    });

    it('keep the beginning of a pause that is changed, and nothing else of it', async () => {
      await kinds().pause(KIND, { reason: 'one', stopRunning: true });
      const before = (await controls()).pauses[0]!;
      await kinds().pause(KIND, { reason: 'two' });
      expect((await controls()).pauses).toEqual([{ ...before, reason: 'two', stopsRunning: false }]);
    });

    it('are without a pause that is over, and one that follows begins by itself', async () => {
      await kinds().pause(KIND, { until: new Date(Date.now() - HOUR) });
      expect(await controls()).toEqual({ changed: 1, pauses: [] });
      expect(await kinds().resume(KIND)).toBe(false);
      await kinds().pause(KIND, { until: new Date(Date.now() - HOUR) });
      await kinds().pause(KIND);
      expect((await controls()).pauses).toMatchObject([{ kind: KIND, until: null }]);
    });

    it('tell a resume whether the kind was paused', async () => {
      expect(await kinds().resume(KIND)).toBe(false);
      await kinds().pause(KIND);
      expect(await kinds().resume('*')).toBe(false);
      expect(await kinds().resume(KIND)).toBe(true);
      expect((await controls()).pauses).toEqual([]);
    });

    it('join a transaction', async () => {
      await undone(() => kinds().pause(KIND));
      expect((await controls()).pauses).toEqual([]);
      await store.client.transaction(async () => {
        await kinds().pause(KIND);
        await kinds().pause(OTHER, { reason: 'too' });
      });
      expect((await controls()).pauses).toHaveLength(2);
      await undone(() => kinds().resume(KIND));
      expect((await controls()).pauses).toHaveLength(2);
      await store.client.transaction(() => kinds().resume(KIND));
      expect((await controls()).pauses).toMatchObject([{ kind: OTHER }]);
    });

    if (store instanceof SqlStore && store.hasManyWriters)
      it('are committed in the order of their numbers', async () => {
        const { kinds: port } = store.queue;
        const terms = { until: null, reason: null, stopsRunning: false };
        let second: Promise<number> | undefined;
        let isSecondDone = false;
        await store.dataSource.transaction(async (manager) => {
          expect(await port.pause(KIND, terms, { manager })).toBe(1);
          second = port.pause(OTHER, terms).finally(() => (isSecondDone = true));
          for (let n = 0; n < 20; n++) expect(await controls()).toEqual({ changed: 0, pauses: [] });
          expect(isSecondDone).toBe(false);
        });
        expect(await second).toBe(2);
        expect((await controls()).pauses).toHaveLength(2);
      });

    it('take many changes at once', async () => {
      const names = Array.from({ length: 20 }, (_, n) => `kind ${n % 5}`);
      await Promise.all(names.map((name) => kinds().pause(name)));
      expect(await controls()).toMatchObject({ changed: 20 });
      await Promise.all(names.map((name) => kinds().resume(name)));
      expect(await controls()).toEqual({ changed: 40, pauses: [] });
    });

    it('refuse what they do not take, and nothing is written', async () => {
      for (const [path, options] of [
        ['until', { until: 'soon' }],
        ['until', { until: new Date(NaN) }],
        ['reason', { reason: 'a\0b' }],
        ['stopRunning', { stopRunning: 1 }],
        ['wait', { wait: 'yes' }],
        ['timeoutMs', { timeoutMs: 5 }],
        ['timeoutMs', { wait: true, timeoutMs: -1 }],
        ['signal', { wait: true, signal: {} }],
        ['group', { group: 'a' }],
        ['options', null],
      ] as const) {
        const error: unknown = await kinds()
          .pause(KIND, options as never)
          .catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(InvalidJobError);
        expect(error).toMatchObject({ path });
      }
      await expect(kinds().pause('')).rejects.toBeInstanceOf(InvalidJobError);
      await expect(kinds().resume(KIND, { nonsense: 1 } as never)).rejects.toBeInstanceOf(InvalidJobError);
      await expect(store.client.transaction(() => kinds().pause(KIND, { wait: true }))).rejects.toMatchObject(
        { path: 'wait' },
      );
      expect(await controls()).toEqual({ changed: 0, pauses: [] });
    });
  });

  describe('6. The register of workers', () => {
    it('tells of workers with what they have said of themselves, until they are forgotten', async () => {
      const { kinds: port } = store.queue;
      expect(await port.beat({ ...REPORT, about: '{"pid":1,"host":"größe"}' })).toMatchObject(
        await controls(),
      );
      await port.beat({ ...REPORT, workerId: 'v', controlsSeen: 3 });
      const [v, w] = await port.workers();
      expect(v).toMatchObject({ workerId: 'v', controlsSeen: 3 });
      expect(JSON.parse(w!.about)).toEqual({ pid: 1, host: 'größe' });
      await until(async () => {
        await port.beat({ ...REPORT, controlsSeen: 2, about: '{}' });
        return (await port.workers())[1]!.seenAt > w!.seenAt;
      });
      expect((await port.workers())[1]).toMatchObject({ controlsSeen: 2, startedAt: w!.startedAt });
      await port.forget('w');
      expect((await port.workers()).map(({ workerId }) => workerId)).toEqual(['v']);
    });

    it('names those that have not seen a change', async () => {
      const { kinds: port } = store.queue;
      for (const [workerId, controlsSeen] of [
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ] as const)
        await port.beat({ ...REPORT, workerId, controlsSeen });
      expect(await port.behind(2)).toEqual(['a']);
      expect(await port.behind(1)).toEqual([]);
      expect(await port.behind(9)).toEqual(['a', 'b', 'c']);
    });

    it('has a worker while it runs, and not after its stop', async () => {
      const { worker } = await working({ workerId: 'mine', concurrency: 7 });
      await until(async () => (await kinds().workers()).length === 1);
      const [mine] = await kinds().workers();
      expect(mine).toMatchObject({
        name: 'mine',
        kinds: [KIND, OTHER],
        concurrency: 7,
        running: 0,
        stopping: false,
        pid: process.pid,
      });
      expect(mine!.rssBytes).toBeGreaterThan(1_000_000);
      await worker.stop();
      expect(await kinds().workers()).toEqual([]);
    });
  });

  describe('6. A pause', () => {
    it('keeps workers from starting jobs of the kind, and of no other', async () => {
      await kinds().pause(KIND);
      await store.client.enqueue(KIND, null, { id: 'paused' });
      const { started } = await working();
      await isUp();
      expect(started).toEqual(['up']);
      expect(await store.job('paused')).toMatchObject({ state: 'ready', attemptsDone: 0 });
      await kinds().resume(KIND);
      await store.ended('paused');
    });

    it('of all kinds holds beside those of single kinds', async () => {
      const { started } = await working();
      await isUp();
      await kinds().pause('*', { wait: true });
      await kinds().pause(KIND, { wait: true });
      await store.client.enqueueMany([
        { kind: KIND, id: 'a' },
        { kind: OTHER, id: 'b' },
      ]);
      await kinds().resume('*');
      await store.ended('b');
      expect(started).toEqual(['up', 'b']);
      await kinds().resume(KIND);
      await store.ended('a');
    });

    it('ends by itself', async () => {
      const { started } = await working();
      await isUp();
      const endsAt = new Date(Date.now() + 1_500);
      await kinds().pause(KIND, { until: endsAt, wait: true });
      const { id } = await store.client.enqueue(KIND);
      if (Date.now() < endsAt.getTime() - 200) expect(started).toEqual(['up']);
      await store.ended(id);
      expect(Date.now()).toBeGreaterThanOrEqual(endsAt.getTime() - 200);
    });

    it('lets jobs that run go on', async () => {
      const [begun, ends] = [deferred(), deferred<string>()];
      await store.work({
        [KIND]: () => {
          begun.resolve();
          return ends.promise;
        },
      });
      await store.client.enqueue(KIND, null, { id: 'job' });
      await begun.promise;
      await kinds().pause(KIND, { wait: true });
      ends.resolve('to its end');
      expect(await store.ended('job')).toMatchObject({ status: 'DONE', result: 'to its end' });
    });

    it('stops jobs that run where it is told to, with no attempt spent', async () => {
      const contexts: JobContext<never>[] = [];
      await store.work({
        [KIND]: (_job, context) => {
          contexts.push(context);
          if (contexts.length > 1) return 'again';
          return new Promise((_resolve, reject) =>
            context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)),
          );
        },
      });
      await store.client.enqueue(KIND, null, { id: 'job' });
      await until(() => contexts.length === 1);
      await kinds().pause(KIND, { stopRunning: true, reason: 'enough', wait: true });
      expect(contexts[0]!.signal.reason).toBeInstanceOf(JobPausedError);
      expect(contexts[0]!.signal.reason).toMatchObject({ kind: KIND, reason: 'enough' });
      expect(await store.once('job', ({ state }) => state === 'ready')).toMatchObject({ attemptsDone: 0 });
      await kinds().resume(KIND);
      expect(await store.ended('job')).toMatchObject({ status: 'DONE', result: 'again', attemptsDone: 1 });
    });

    it('keeps a job that it stops until its handler has ended', async () => {
      const ends = deferred<string>();
      const started: string[] = [];
      await store.work({
        [KIND]: () => {
          started.push(KIND);
          return started.length === 1 ? ends.promise : 'again'; // the first one does not look at its signal
        },
      });
      await store.client.enqueue(KIND, null, { id: 'job' });
      await until(() => started.length === 1);
      await kinds().pause(KIND, { stopRunning: true, wait: true });
      await kinds().resume(KIND);
      expect(await store.queue.claim([KIND], 1, LONG)).toEqual([]);
      expect(await store.client.get('job')).toMatchObject({ state: 'running' });
      ends.resolve('too late');
      expect(await store.ended('job')).toMatchObject({ status: 'DONE', result: 'again', attemptsDone: 1 });
      expect(started).toHaveLength(2);
    });

    it('gives back what was claimed ahead', async () => {
      const ends = deferred();
      let startedCount = 0;
      const quick = 500;
      const run = () => {
        startedCount += 1;
        return startedCount > quick ? ends.promise : undefined;
      };
      await store.work({ [KIND]: run }, { concurrency: 5 });
      await store.client.enqueueMany(Array.from({ length: 1_000 }, () => ({ kind: KIND })));
      await until(() => startedCount === quick + 5);
      await kinds().pause(KIND, { wait: true });
      const count = startedCount;
      ends.resolve();
      // Another worker, which serves it once more, gets all the rest.
      await until(
        async () => (await store.queue.claim([KIND], 1_000, LONG)).length > 0 || startedCount > count,
      );
      expect(startedCount).toBe(count);
    });

    it('gives back what a claim brings that was under way', async () => {
      let claiming: (() => Promise<void>) | undefined;
      const claim: JobQueue['claim'] = async (wanted, limit, terms) => {
        const jobs = await store.queue.claim(wanted, limit, terms);
        if (jobs.some(({ kind }) => kind === KIND)) await claiming?.();
        return jobs;
      };
      claiming = async () => {
        claiming = undefined;
        await kinds().pause(KIND, { wait: true });
      };
      const { started } = await working({}, withMethods(store.queue, { claim }));
      await store.client.enqueue(KIND, null, { id: 'late' });
      await until(() => claiming === undefined);
      await isUp();
      expect(await store.once('late', ({ state }) => state === 'ready')).toMatchObject({ attemptsDone: 0 });
      expect(started).toEqual(['up']);
    });

    it('holds up no enqueue, and no claim without a worker', async () => {
      await kinds().pause(KIND);
      await store.client.enqueue(KIND, null, { id: 'job' });
      expect(await store.queue.dequeue([KIND], () => undefined)).toBe(false);
      await store.client.enqueue(OTHER, null, { id: 'other' });
      expect(await store.queue.dequeue([KIND, OTHER], () => undefined)).toBe(true);
      expect(await store.job('other')).toMatchObject({ status: 'DONE' });
      await kinds().resume(KIND);
      expect(await store.queue.dequeue([KIND], () => undefined)).toBe(true);
    });

    it('is told of by each worker, and its end is', async () => {
      await working();
      await isUp();
      await kinds().pause(KIND, { reason: 'no server', wait: true });
      expect(store.logged('log', `The kind ${KIND} is paused: no server.`)).toBe(true);
      await kinds().resume(KIND);
      await until(() => store.logged('log', `The kind ${KIND} is paused no longer.`));
    });
  });

  describe('6. To wait for a pause', () => {
    it('takes no time where there is no worker', async () => {
      await kinds().pause(KIND, { wait: true });
      expect((await controls()).pauses).toHaveLength(1);
    });

    it('takes until every live worker has seen it', async () => {
      const { kinds: port } = store.queue;
      for (const workerId of ['a', 'b']) await port.beat({ ...REPORT, workerId });
      let isOver = false;
      const paused = kinds()
        .pause(KIND, { wait: true })
        .finally(() => (isOver = true));
      await until(async () => (await controls()).changed === 1);
      await port.beat({ ...REPORT, workerId: 'a', controlsSeen: 1 });
      expect(await port.behind(1)).toEqual(['b']);
      expect(isOver).toBe(false);
      await port.beat({ ...REPORT, workerId: 'b', controlsSeen: 1 });
      await paused;
    });

    it('ends with its time or its signal, and the pause stands', async () => {
      await store.queue.kinds.beat({ ...REPORT, workerId: 'silent' });
      const error: unknown = await kinds()
        .pause(KIND, { wait: true, timeoutMs: 300 })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(KindTimeoutError);
      expect(error).toMatchObject({ kind: KIND, timeoutMs: 300, workers: ['silent'] });
      const stopping = new AbortController();
      const paused = kinds().pause(OTHER, { wait: true, signal: stopping.signal });
      await until(async () => (await controls()).changed === 2);
      stopping.abort(new Error('enough'));
      await expect(paused).rejects.toThrow('enough');
      expect((await controls()).pauses).toHaveLength(2);
    });
  });

  describe('6. What is known of kinds', () => {
    const MINUTE = 60_000;

    it('is kept by minute and hour, and replaced by what is counted later', async () => {
      const { kinds: port } = store.queue;
      const { now } = await port.controls();
      const minute = Math.floor(now / MINUTE) * MINUTE;
      const row = { kind: KIND, span: 1, minute, counts: '{"done":1}' };
      const hour = {
        ...row,
        span: 60,
        counts: '{"failed":3,"panicked":4}',
        minute: Math.floor(now / (60 * MINUTE)) * 60 * MINUTE,
      };
      await port.beat({ ...REPORT, counts: [row, hour] });
      await port.beat({ ...REPORT, workerId: 'v', counts: [{ ...row, kind: OTHER, counts: '{"done":5}' }] });
      await port.beat({ ...REPORT, counts: [{ ...row, counts: '{"done":2}' }] });
      const look = await port.counts(null);
      expect(Math.abs(look.now - now)).toBeLessThan(MINUTE);
      expect(look.minutes).toHaveLength(2);
      const mail = { ...row, counts: '{"done":2}' };
      const report = { ...row, kind: OTHER, counts: '{"done":5}' };
      expect(look.minutes).toEqual(expect.arrayContaining([mail, report]));
      expect([...look.failedInDay]).toEqual([[KIND, 7]]);
      expect(await port.counts(OTHER)).toMatchObject({ minutes: [report], failedInDay: new Map() });
      expect(await port.sweep()).toBe(0);
    });

    it('is added up over workers, of the last hour by minutes and of the last day by hours', async () => {
      const { kinds: port } = store.queue;
      expect(await port.history(null)).toMatchObject({ counts: [] });
      const { now } = await port.controls();
      const [minute, hour] = [now - 10 * MINUTE, now - 10 * HOUR];
      const counted = (kind: string, span: number, minute: number, counts: object) => ({
        ...{ kind, span, minute, counts: JSON.stringify(counts) },
      });
      await port.beat({
        ...REPORT,
        counts: [
          counted(KIND, 1, minute, { done: 2, failed: 1, wait: { 3: 1 } }),
          counted(KIND, 60, hour, { retried: 5 }),
          counted(KIND, 1, now - 61 * MINUTE, { done: 1 }),
          counted(KIND, 60, now - 25 * HOUR, { done: 1 }),
        ],
      });
      const others = [counted(KIND, 1, minute, { done: 3, panicked: 7 }), counted(OTHER, 60, hour, {})];
      await port.beat({ ...REPORT, workerId: 'v', counts: others });
      const look = await port.history(null);
      const none = { done: 0, failed: 0, panicked: 0, retried: 0, cancelled: 0 };
      expect(Math.abs(look.now - now)).toBeLessThan(MINUTE);
      expect(look.counts).toHaveLength(3);
      const rounded = look.counts.map((row) => ({ ...row, minute: Math.round(row.minute) }));
      expect(rounded).toEqual(
        expect.arrayContaining([
          { ...none, kind: KIND, span: 1, minute: Math.round(minute), done: 5, failed: 1, panicked: 7 },
          { ...none, kind: KIND, span: 60, minute: Math.round(hour), retried: 5 },
          { ...none, kind: OTHER, span: 60, minute: Math.round(hour) },
        ]),
      );
      expect((await port.history(OTHER)).counts).toMatchObject([{ kind: OTHER, span: 60 }]);
      const ofKind = await port.hour([KIND]);
      expect(ofKind.map(({ counts }) => JSON.parse(counts) as object)).toEqual(
        expect.arrayContaining([
          { done: 2, failed: 1, wait: { 3: 1 } },
          { done: 3, panicked: 7 },
        ]),
      );
      expect(ofKind).toHaveLength(2);
      expect(await port.hour([OTHER])).toEqual([]);
      expect(await port.hour([])).toEqual([]);
    });

    it('is deleted when it is old', async () => {
      const { kinds: port } = store.queue;
      const { now } = await port.controls();
      const old = [
        { kind: KIND, span: 1, minute: now - 61 * MINUTE, counts: '{}' },
        { kind: KIND, span: 60, minute: now - 26 * 60 * MINUTE, counts: '{}' },
      ];
      const young = [
        { kind: KIND, span: 1, minute: now - 59 * MINUTE, counts: '{}' },
        { kind: KIND, span: 60, minute: now - 24 * 60 * MINUTE, counts: '{}' },
      ];
      await port.beat({ ...REPORT, counts: [...old, ...young] });
      expect(await port.sweep()).toBe(2);
      expect(await port.sweep()).toBe(0);
    });

    it('tells what waits, up to a thousand', async () => {
      const { kinds: port } = store.queue;
      expect(await port.backlog([])).toEqual([]);
      const many = Array.from({ length: 10_000 }, (_, n) => `kind ${n}`);
      expect(await port.backlog(many)).toHaveLength(many.length);
      await store.client.enqueueMany(Array.from({ length: 1_200 }, () => ({ kind: KIND })));
      await store.client.enqueueMany(Array.from({ length: 3 }, () => ({ kind: OTHER, delayMs: HOUR })));
      await store.letPass(MINUTE);
      const stats = await kinds().stats(KIND);
      expect(stats).toMatchObject({
        kind: KIND,
        ready: { capped: true },
        scheduled: { value: 0, capped: false },
      });
      expect(stats.ready.value).toBeGreaterThanOrEqual(1_000);
      expect(stats.oldestReadyMs).toBeGreaterThanOrEqual(0);
      expect(await kinds().stats(OTHER)).toMatchObject({
        ready: { value: 0, capped: false },
        oldestReadyMs: null,
        scheduled: { value: 3, capped: false },
      });
    });

    it('names each kind that has a ready job, in order, also one that nobody serves', async () => {
      const { kinds: port } = store.queue;
      expect(await port.dueKinds()).toEqual([]);
      await store.client.enqueueMany([
        ...['zeta', 'Alpha', 'beta', 'beta', 'claimed'].map((kind) => ({ kind })),
        { kind: 'later', delayMs: HOUR },
      ]);
      await store.claimOne(LONG, 'claimed');
      const due = ['Alpha', 'beta', 'zeta'].map((kind) => ({ kind, overdueMs: null }));
      expect(await port.dueKinds()).toEqual(due);
      expect((await kinds().list()).map(({ kind }) => kind)).toEqual(['Alpha', 'beta', 'zeta']);
    });

    it('names a kind whose only job was scheduled and is due, though no worker has marked it so', async () => {
      await store.client.enqueue('soon', null, { delayMs: 1 });
      await until(async () => (await kinds().list()).length > 0, { timeoutMs: 5_000 });
      expect((await kinds().list()).map(({ kind }) => kind)).toEqual(['soon']);
    });

    it('tells of workers, outcomes, times and pauses', async () => {
      const [begun, ends] = [deferred(), deferred()];
      const worker = await store.work({
        [KIND]: ({ payload }: { readonly payload: unknown }) => {
          if (payload === 'fail') throw new Error('no');
          return undefined;
        },
        [OTHER]: () => {
          begun.resolve();
          return ends.promise;
        },
      });
      const payloads = ['fail', 'fail', 'done'];
      const jobs = await store.client.enqueueMany(payloads.map((payload) => ({ kind: KIND, payload })));
      for (const { id } of jobs) await store.ended(id);
      await store.client.enqueue(OTHER);
      await begun.promise;
      await kinds().pause(KIND, { reason: 'enough', wait: true }); // has the worker tell of itself
      await until(async () => (await kinds().stats(OTHER)).running === 1);
      const [mail, report] = await kinds().list();
      expect(mail).toMatchObject({
        ...{ kind: KIND, running: 0, workers: 1, blocked: 0, failedInDay: 2 },
        paused: { kind: KIND, reason: 'enough', until: null, stopsRunning: false },
      });
      expect(mail!.perMinute.claimed).toBeGreaterThan(0);
      expect(mail!.perMinute.failed).toBeCloseTo(2 * mail!.perMinute.done);
      expect(mail!.waitMs!.p50).toBeGreaterThan(0);
      expect(mail!.runMs!.p99).toBeGreaterThan(0);
      expect(report).toMatchObject({ kind: OTHER, running: 1, workers: 1, paused: null, runMs: null });
      ends.resolve();
      await worker.stop();
      expect(await kinds().stats(OTHER)).toMatchObject({ running: 0, workers: 0 });
      expect((await kinds().stats(OTHER)).perMinute.done).toBeGreaterThan(0);
    });
  });

  describe('6. To drain a kind', () => {
    it('takes until none is ready or running', async () => {
      const [begun, ends] = [deferred(), deferred()];
      await store.client.enqueue(KIND, null, { delayMs: HOUR });
      await store.client.enqueue(OTHER);
      await kinds().drain(KIND);
      await store.client.enqueue(KIND);
      await expect(kinds().drain(KIND, { timeoutMs: 300 })).rejects.toBeInstanceOf(KindTimeoutError);
      await store.work({
        [KIND]: () => {
          begun.resolve();
          return ends.promise;
        },
      });
      await begun.promise;
      await expect(kinds().drain(KIND, { timeoutMs: 300 })).rejects.toBeInstanceOf(KindTimeoutError);
      ends.resolve();
      await kinds().drain(KIND);
      await expect(kinds().drain(KIND, { nonsense: 1 } as never)).rejects.toBeInstanceOf(InvalidJobError);
    });
  });
}

import { afterEach, describe, expect, it } from '@jest/globals';
import { JobKinds } from '../../lib/client/job-kinds.js';
import { JobEvents } from '../../lib/client/job-events.js';
import type { JobEventFilter } from '../../lib/client/event-arguments.js';
import { JobsEvents } from '../../lib/events/jobs-events.js';
import type { JobEvent, WantedEvents } from '../../lib/job/job-event.js';
import { EventWriter } from '../../lib/outbox/event-writer.js';
import type { NewEvent } from '../../lib/queue/event-store.js';
import type { TypeOrmJobQueue } from '../../lib/storage/typeorm/typeorm-job-queue.js';
import { KIND, SqlStore, type Store } from '../support/store.js';
import { until } from '../support/until.js';

const ALL: WantedEvents = { kinds: null, types: null };
const MINUTE_MS = 60_000;
/** Later than the answers of two connections that are read at once: a claim may else be heard of before the settlement. */
const RETRY_MS = 200;

const event = (name: string): NewEvent => ({
  type: 'done',
  kind: KIND,
  event: JSON.stringify({ type: 'done', kind: KIND, jobId: name, attempt: 1 }),
});

/** Events that all processes hear of: the storage, what writes them, and what reads them. */
export function eventsContract(store: Store): void {
  describe('Stored events', () => {
    it('are read in their order, from a position on, and a page at a time', async () => {
      const { eventStore } = store.queue;
      await eventStore.write([event('before')]);
      const { seq } = await eventStore.listen('one', ALL);
      expect((await eventStore.read(seq, 10)).events).toEqual([]);
      await eventStore.write([event('a'), event('b')]);
      await eventStore.write([event('c')]);
      const page = await eventStore.read(seq, 2);
      const jobs = page.events.map((stored) => (JSON.parse(stored.event) as { jobId: string }).jobId);
      expect(jobs).toEqual(['a', 'b']);
      const rest = await eventStore.read(page.events[1]!.seq, 10);
      expect(rest.events.map((stored) => JSON.parse(stored.event) as unknown)).toEqual([
        JSON.parse(event('c').event),
      ]);
      expect(Math.abs(rest.nowMs - rest.events[0]!.atMs)).toBeLessThan(MINUTE_MS);
    });

    it('hold every text', async () => {
      const { eventStore } = store.queue;
      const { seq } = await eventStore.listen('one', ALL);
      const hostile = { type: 'failed', error: '\u0000 \ud800 💾 "\\ \u2028' };
      await eventStore.write([{ type: 'failed', kind: 'ä💾', event: JSON.stringify(hostile) }]);
      const { events } = await eventStore.read(seq, 10);
      expect(JSON.parse(events[0]!.event)).toEqual(hostile);
    });

    it('are deleted when they are old, and their numbers do not come again', async () => {
      const { eventStore } = store.queue;
      const { seq } = await eventStore.listen('one', ALL);
      await eventStore.write([event('old')]);
      const [old] = (await eventStore.read(seq, 10)).events;
      await store.letPass(11 * MINUTE_MS);
      expect(await eventStore.prune(10 * MINUTE_MS)).toBe(1);
      expect(await eventStore.prune(10 * MINUTE_MS)).toBe(0);
      await eventStore.write([event('new')]);
      const { events } = await eventStore.read(old!.seq, 10);
      expect(events).toHaveLength(1);
    });
  });

  describe('Listeners', () => {
    it('say what they want until they end', async () => {
      const { eventStore } = store.queue;
      expect(await eventStore.wanted()).toEqual([]);
      await eventStore.listen('one', ALL);
      await eventStore.listen('two', { kinds: [KIND], types: ['done'] });
      await eventStore.listen('one', { kinds: ['other'], types: null });
      const wanted = await eventStore.wanted();
      expect(wanted).toHaveLength(2);
      expect(wanted).toEqual(
        expect.arrayContaining([
          { kinds: ['other'], types: null },
          { kinds: [KIND], types: ['done'] },
        ]),
      );
      await eventStore.unlisten('one');
      expect(await eventStore.wanted()).toEqual([{ kinds: [KIND], types: ['done'] }]);
    });

    it('read everything that is written because they listen', async () => {
      const { eventStore } = store.queue;
      for (let turn = 0; turn < 20; turn++) {
        const written = until(async () => (await eventStore.wanted()).length > 0, { everyMs: 0 }).then(() =>
          eventStore.write([event(`turn ${turn}`)]),
        );
        const { seq } = await eventStore.listen('one', ALL);
        await written;
        expect((await eventStore.read(seq, 10)).events).toHaveLength(1);
        await eventStore.unlisten('one');
      }
    });

    if (!(store instanceof SqlStore)) return;

    it('are taken for dead a minute after they have registered', async () => {
      const { eventStore } = store.queue;
      await eventStore.listen('one', ALL);
      await store.letPass(MINUTE_MS + 1_000);
      expect(await eventStore.wanted()).toEqual([]);
      await eventStore.listen('one', ALL);
      expect(await eventStore.wanted()).toEqual([ALL]);
      await store.letPass(11 * MINUTE_MS);
      await eventStore.prune(10 * MINUTE_MS);
      expect(await store.sql('SELECT id FROM nest_jobs_listeners')).toEqual([]);
    });

    it('want all where their entry cannot be read', async () => {
      const { eventStore } = store.queue;
      await eventStore.listen('one', ALL);
      await store.sql(`UPDATE nest_jobs_listeners SET wanted = '{"kinds":7}'`);
      expect(await eventStore.wanted()).toEqual([null]);
    });
  });

  describe('JobEvents', () => {
    const ends: (() => unknown)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).toReversed()) await end();
    });

    /** What a process hears that is another one, or this one where it is given the events of this one. */
    function listenTo(
      filter: JobEventFilter,
      events = new JobsEvents(),
      eventStore = store.queue.eventStore,
      lookEveryMs?: number,
    ): JobEvent[] {
      const jobEvents = new JobEvents(events, eventStore, { lookEveryMs });
      const heard: JobEvent[] = [];
      jobEvents.of(filter).subscribe((one) => void heard.push(one));
      ends.push(() => jobEvents.close());
      return heard;
    }

    /** Writes what happens in this process for others. */
    async function writing(events = store.events): Promise<void> {
      const writer = new EventWriter(store.queue.eventStore, events);
      writer.start();
      ends.push(() => writer.stop());
    }

    const typesOf = (heard: readonly JobEvent[], jobId: string) =>
      heard.flatMap((one) => ('jobId' in one && one.jobId === jobId ? [one.type] : []));

    it.each(['process', 'all'] as const)('tell what becomes of jobs, with the scope %s', async (scope) => {
      const heard = listenTo({ scope }, store.events);
      if (scope === 'all') {
        await until(async () => (await store.queue.eventStore.wanted()).length > 0);
        await writing();
      }
      let tries = 0;
      await store.client.enqueueMany([
        { kind: KIND, id: 'good' },
        { kind: KIND, id: 'bad' },
        { kind: KIND, id: 'again', maxAttempts: 2, backoff: { type: 'fixed', delayMs: RETRY_MS } },
        { kind: 'other', id: 'waits', delayMs: MINUTE_MS },
      ]);
      await store.client.cancel('waits', { reason: 'not needed' });
      await store.work({
        [KIND]: ({ id }, context) => {
          if (id === 'good') context.progress(0.5);
          if (id === 'bad') throw new Error('no');
          if (id === 'again' && tries++ === 0) throw new Error('once');
        },
      });
      await until(() =>
        ['good', 'bad', 'again'].every((id) =>
          typesOf(heard, id).some((type) => ['done', 'failed'].includes(type)),
        ),
      );
      expect(typesOf(heard, 'good')).toEqual(['enqueued', 'started', 'progressed', 'done']);
      expect(heard).toContainEqual(
        expect.objectContaining({ type: 'progressed', jobId: 'good', attempt: 1, progress: 0.5 }),
      );
      expect(typesOf(heard, 'bad')).toEqual(['enqueued', 'started', 'failed']);
      expect(typesOf(heard, 'again')).toEqual(['enqueued', 'started', 'retrying', 'started', 'done']);
      expect(typesOf(heard, 'waits')).toEqual(['enqueued', 'cancelled']);
      expect(heard).toContainEqual(
        expect.objectContaining({ type: 'cancelled', jobId: 'waits', kind: 'other', reason: 'not needed' }),
      );
      const failed = heard.find(({ type }) => type === 'failed');
      expect(failed).toMatchObject({ kind: KIND, attempt: 1, error: expect.stringContaining('Error: no') });
      expect(failed!.at).toBeInstanceOf(Date);
    });

    /** How long it takes to hear of a job, in milliseconds: of some jobs that are enqueued one after another, each. */
    async function delays(heard: readonly JobEvent[]): Promise<number[]> {
      await until(async () => (await store.queue.eventStore.wanted()).length > 0);
      await writing();
      await store.client.enqueue(KIND, null, { id: 'first' }); // finds out that somebody listens
      await until(() => typesOf(heard, 'first').length > 0);
      const all: number[] = [];
      for (let n = 0; n < 9; n++) {
        const beganAt = performance.now();
        await store.client.enqueue(KIND, null, { id: `job ${n}` });
        await until(() => typesOf(heard, `job ${n}`).length > 0, { everyMs: 2 });
        all.push(performance.now() - beganAt);
      }
      return all.toSorted((one, other) => one - other);
    }

    const isDeaf = { watch: () => () => undefined };

    it('come with the next look where no hint does', async () => {
      const { eventStore } = store.queue;
      const deaf = Object.assign(Object.create(eventStore) as typeof eventStore, isDeaf);
      const sorted = await delays(listenTo({ scope: 'all' }, new JobsEvents(), deaf, 50));
      expect(sorted[4]).toBeLessThan(250);
    });

    it('come at once from the process itself, long before the next look', async () => {
      const { eventStore } = store.queue;
      const sorted = await delays(listenTo({ scope: 'all' }, new JobsEvents(), eventStore, MINUTE_MS));
      expect(sorted[4]).toBeLessThan(150);
    });

    it('tell nothing of what is rolled back', async () => {
      const heard = listenTo({}, store.events);
      const rolledBack = store.dataSource.transaction(async (manager) => {
        await store.client.enqueue(KIND, null, { id: 'never', manager });
        throw new Error('rolled back');
      });
      await expect(rolledBack).rejects.toThrow('rolled back');
      await store.client.enqueue(KIND, null, { id: 'there' });
      await until(() => heard.length > 0);
      expect(typesOf(heard, 'never')).toEqual([]);
    });

    it('are stored only where somebody wants them', async () => {
      const heard = listenTo({ scope: 'all', kinds: ['wanted'], types: ['enqueued'] });
      await until(async () => (await store.queue.eventStore.wanted()).length > 0);
      const { seq } = await store.queue.eventStore.listen('tester', { kinds: [], types: [] });
      await writing();
      await store.client.enqueue('other', null, { id: 'a' });
      await store.client.enqueue('wanted', null, { id: 'b' });
      await store.client.cancel('b');
      await store.client.enqueue('wanted', null, { id: 'c' });
      await until(() => typesOf(heard, 'c').length > 0);
      const { events } = await store.queue.eventStore.read(seq, 10);
      const stored = events.map((one) => JSON.parse(one.event) as { jobId: string; type: string });
      expect(stored).toMatchObject([
        { jobId: 'b', type: 'enqueued' },
        { jobId: 'c', type: 'enqueued' },
      ]);
    });

    it('tell of a schedule that skips a tick with the instant of the tick', async () => {
      const heard = listenTo({ scope: 'all', types: ['schedule.skipped'] });
      await until(async () => (await store.queue.eventStore.wanted()).length > 0);
      await writing();
      const tick = new Date('2026-11-27T03:00:00Z');
      store.events.emit('scheduleSkipped', {
        ...{ schedule: 'nightly', kind: KIND, tick },
        ...{ reason: 'overlap', count: 1, inRow: 1 },
      });
      await until(() => heard.length > 0);
      expect(heard[0]).toMatchObject({ type: 'schedule.skipped', schedule: 'nightly', tick });
    });

    it('tell of a pause and of its end once for all processes, and once in each that has a worker', async () => {
      const types = ['kind.paused', 'kind.resumed'] as const;
      const ofAll = listenTo({ scope: 'all', types });
      await until(async () => (await store.queue.eventStore.wanted()).length > 0);
      await writing();
      const ofProcesses = await Promise.all(
        [new JobsEvents(), new JobsEvents()].map(async (events) => {
          const heard = listenTo({ types }, events);
          await writing(events);
          await store.work({ [KIND]: () => undefined }, {}, store.queue, [], events);
          return heard;
        }),
      );
      const kinds = new JobKinds(store.queue);
      await kinds.pause(KIND, { reason: 'no server', wait: true });
      await until(() => ofProcesses.every((heard) => heard.length === 1));
      expect(await kinds.resume(KIND)).toBe(true);
      expect(await kinds.resume(KIND)).toBe(false);
      await until(() => ofProcesses.every((heard) => heard.length === 2));
      await kinds.pause('last');
      await until(() => ofAll.some((one) => one.type === 'kind.paused' && one.kind === 'last'));
      const told = [
        { type: 'kind.paused', kind: KIND, reason: 'no server' },
        { type: 'kind.resumed', kind: KIND },
      ];
      expect(ofAll).toMatchObject([...told, { type: 'kind.paused', kind: 'last' }]);
      for (const heard of ofProcesses) expect(heard.slice(0, 2)).toMatchObject(told);
    });

    it('tell of a pause once it is committed, and of none that is rolled back', async () => {
      const heard = listenTo({ scope: 'all', kinds: [KIND], types: ['kind.paused', 'kind.resumed'] });
      await until(async () => (await store.queue.eventStore.wanted()).length > 0);
      await writing();
      const kinds = new JobKinds(store.queue);
      const rolledBack = store.dataSource.transaction(async (manager) => {
        await kinds.pause('never', { manager });
        throw new Error('rolled back');
      });
      await expect(rolledBack).rejects.toThrow('rolled back');
      await store.dataSource.transaction((manager) => kinds.pause(KIND, { manager }));
      await until(() => heard.length > 0);
      expect(heard).toMatchObject([{ type: 'kind.paused', kind: KIND }]);
      await kinds.pause('other');
      await kinds.pause('*'); // KIND as well
      await until(() => heard.length > 1);
      expect(heard[1]).toMatchObject({ type: 'kind.paused', kind: '*' });
    });

    it('pass over what something else has written, and leave a progress as it is', async () => {
      const heard = listenTo({ scope: 'all' });
      const { eventStore } = store.queue;
      await until(async () => (await eventStore.wanted()).length > 0);
      const progress = { from: 1, to: 'the end', tick: '2026-11-27T03:00:00Z' };
      const good = { type: 'progressed', kind: KIND, jobId: 'good', attempt: 1, progress };
      const isChecked = store instanceof SqlStore && store.isPostgres; // by the column's type
      const others = ['null', '7', '[]', '{"type":"later.release"}', ...(isChecked ? [] : ['{'])];
      await eventStore.write(others.map((other) => ({ type: 'done', kind: KIND, event: other })));
      await eventStore.write([{ type: 'progressed', kind: KIND, event: JSON.stringify(good) }]);
      await until(() => heard.length > 0);
      expect(heard).toMatchObject([{ ...good, progress }]);
    });

    if (store instanceof SqlStore && store.isPostgres)
      it('come from another process long before the next look, whether or not this one has a worker', async () => {
        const other = store.open() as TypeOrmJobQueue;
        const sorted = await delays(
          listenTo({ scope: 'all' }, new JobsEvents(), other.eventStore, MINUTE_MS),
        );
        expect(sorted[4]).toBeLessThan(150);
      });

    it('own up to what could not be written', async () => {
      const heard = listenTo({ scope: 'all' });
      await until(async () => (await store.queue.eventStore.wanted()).length > 0);
      const { eventStore } = store.queue;
      let isDown = true;
      const flaky = Object.assign(Object.create(eventStore) as typeof eventStore, {
        write: (events: readonly NewEvent[]) =>
          isDown ? Promise.reject(new Error('the database is away')) : eventStore.write(events),
      });
      const writer = new EventWriter(flaky, store.events);
      writer.start();
      ends.push(() => writer.stop());
      await store.client.enqueue(KIND, null, { id: 'lost' });
      await until(() => store.logged('warn', 'Could not write events'));
      isDown = false;
      await until(() => heard.length > 0); // though nothing else happens
      expect(heard.map(({ type }) => type)).toEqual(['lag']);
      const [lag] = heard as [Extract<JobEvent, { type: 'lag' }>];
      expect(lag.from.getTime()).toBeLessThanOrEqual(lag.to.getTime());
    });
  });
}

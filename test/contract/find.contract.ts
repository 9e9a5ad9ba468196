import { describe, expect, it } from '@jest/globals';
import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { FindOptions, JobFilter } from '../../lib/client/find-arguments.js';
import { JobEncoder } from '../../lib/job/encode-job.js';
import { InvalidJobError } from '../../lib/job/errors.js';
import type { JobConditions } from '../../lib/job/job-conditions.js';
import { JOB_STATES, type JobState } from '../../lib/job/job-state.js';
import type { Outcome } from '../../lib/job/outcome.js';
import { encodeSettings } from '../../lib/job/settings.js';
import type { SearchBounds } from '../../lib/queue/job-reader.js';
import { forEntity } from '../../lib/storage/sql/entity-tag.js';
import { KIND, LONG, SqlStore, type Store } from '../support/store.js';

const HOUR = 3_600_000;

@Entity()
class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  total!: number;
}

class UrgentOrder extends Order {}

@Entity()
class OrderLine {
  @PrimaryColumn()
  position!: number;

  @PrimaryColumn()
  orderId!: string;
}

const orderOf = (id: number) => Object.assign(new Order(), { id });

/** Jobs are found and counted by what they are like, in bounded time. */
export function findContract(store: Store): void {
  const idsOf = async (filter: JobFilter, options: FindOptions = { order: 'oldest' }) =>
    (await store.client.find(filter, options)).jobs.map(({ id }) => id);

  const settled = async (id: string, outcome: Outcome, kind = KIND) => {
    await store.client.enqueue(kind, null, { id, priority: -1 });
    const [job] = await store.queue.claim([kind], 1, LONG);
    await store.queue.settle([{ ...job!, outcome }]);
  };

  /** A job in each state but `blocked`, which none has yet: their ids are the names of the states. */
  const oneOfEach = async () => {
    await settled('done', { type: 'done', result: { json: '1', bytes: null } });
    await settled('failed', { type: 'failed', lastError: 'Error: no such order' });
    await settled('panic', { type: 'panic', lastError: 'panic: undefined is no function' });
    await settled('retrying', { type: 'retry', delayMs: HOUR, lastError: 'Error: try later' });
    for (const id of ['running', 'stopping']) {
      await store.client.enqueue(KIND, null, { id, priority: -1 });
      await store.queue.claim([KIND], 1, LONG);
    }
    await store.client.cancel('stopping');
    await store.client.enqueue(KIND, null, { id: 'scheduled', delayMs: HOUR });
    await store.client.enqueue(KIND, null, { id: 'cancelled' });
    await store.client.cancel('cancelled');
    await store.client.enqueue(KIND, null, { id: 'ready' });
  };

  describe('5. Find', () => {
    it('finds all jobs, newest first or oldest first, and tells when there are no more', async () => {
      const made = await store.client.enqueueMany(Array.from({ length: 5 }, () => ({ kind: KIND })));
      const ids = made.map(({ id }) => id);
      const all = await store.client.find();
      expect(all).toMatchObject({ next: null, searched: 5, complete: true });
      expect(all.jobs.map(({ id }) => id)).toEqual(ids.toReversed());
      expect(all.jobs[0]).toMatchObject({ kind: KIND, state: 'ready', attemptsDone: 0 });
      expect(await idsOf({}, { order: 'oldest' })).toEqual(ids);
      expect(await store.client.find({ kinds: ['other'] })).toMatchObject({ jobs: [], next: null });
    });

    it.each(['newest', 'oldest'] as const)(
      'goes on from next, %s first, and meets each job once',
      async (order) => {
        const given = Array.from({ length: 25 }, (_, n) => ({
          kind: n % 2 === 0 ? KIND : 'other',
          id: `job ${n}`,
        }));
        await store.client.enqueueMany(given);
        const seen: string[] = [];
        let after: string | null = null;
        let calls = 0;
        do {
          const page = await store.client.find({ kinds: [KIND] }, { order, after, limit: 5 });
          expect(page.complete).toBe(true);
          seen.push(...page.jobs.map(({ id }) => id));
          after = page.next;
          calls += 1;
        } while (after !== null);
        const expected = given
          .filter(({ kind }) => kind === KIND)
          .map(({ id }) => id)
          .toSorted();
        expect(seen).toEqual(order === 'oldest' ? expected : expected.toReversed());
        expect(calls).toBe(3);
      },
    );

    it('finds jobs in each state, and shows that state', async () => {
      await oneOfEach();
      for (const state of JOB_STATES) {
        const { jobs } = await store.client.find({ states: [state] });
        expect(jobs.map(({ id }) => id)).toEqual(state === 'blocked' ? [] : [state]);
        for (const job of jobs) expect(job.state).toBe(state);
      }
      expect(await idsOf({ states: ['ready', 'failed', 'running'] })).toEqual(['failed', 'ready', 'running']);
      expect(await store.client.count({ states: ['ready', 'stopping', 'done'] })).toEqual({
        value: 3,
        capped: false,
      });
    });

    it('knows the states of jobs among others, where no index of open jobs can be used', async () => {
      await oneOfEach();
      const other = (state: JobState) => (state === 'done' ? 'failed' : 'done'); // a settled one: the search goes along all jobs
      for (const state of JOB_STATES) {
        const expected = [state, other(state)].filter((id) => id !== 'blocked').toSorted();
        expect(await idsOf({ states: [state, other(state)] })).toEqual(expected);
      }
    });

    it('finds jobs by id and by kind', async () => {
      await store.client.enqueueMany(
        ['a', 'b', 'ä', '🌱'].map((id) => ({ kind: id === 'b' ? 'B' : 'b', id })),
      );
      expect(await idsOf({ ids: ['🌱', 'none', 'a', 'ä', 'a'] })).toEqual(['a', 'ä', '🌱']);
      expect(await idsOf({ ids: ['a', 'ä', '🌱'] }, { order: 'newest', after: '🌱' })).toEqual(['ä', 'a']);
      expect(await idsOf({ ids: ['a', 'b'], kinds: ['b'] })).toEqual(['a']);
      expect(await idsOf({ kinds: ['B', 'none'] })).toEqual(['b']);
      expect(await idsOf({ ids: [] })).toEqual([]);
    });

    it('finds jobs that have all of the tags', async () => {
      await store.client.enqueue(KIND, 1, { id: 'a', tags: ['red', 'blue'] });
      await store.client.enqueue(KIND, 1, { id: 'b', tags: ['red', 'Grün 🌱'] });
      await store.client.enqueue('other', 1, { id: 'c', tags: ['blue', 'red'] });
      await store.client.enqueue(KIND, 1, { id: 'd' });
      expect(await idsOf({ tags: ['red'] })).toEqual(['a', 'b', 'c']);
      expect(await idsOf({ tags: ['red'] }, { order: 'newest' })).toEqual(['c', 'b', 'a']);
      expect(await idsOf({ tags: ['blue', 'red'] })).toEqual(['a', 'c']);
      expect(await idsOf({ tags: [' Grün 🌱 '] })).toEqual(['b']);
      expect(await idsOf({ tags: ['blue'], kinds: [KIND], states: ['ready'] })).toEqual(['a']);
      expect(await idsOf({ tags: ['Red'] })).toEqual([]);
      await store.client.update('a', { tags: ['white'] });
      await store.client.delete('c');
      expect(await idsOf({ tags: ['red'] })).toEqual(['b']);
      expect(await idsOf({ tags: ['white'] })).toEqual(['a']);
    });

    it('finds jobs by the entity that they are tagged with', async () => {
      await store.client.enqueue(KIND, 1, { id: 'a', tags: [forEntity(orderOf(4711)), 'red'] });
      await store.client.enqueue(KIND, 1, { id: 'b', tags: ['Order:4712'] });
      const line = Object.assign(new OrderLine(), { orderId: '7,1%', position: 2 });
      await store.client.enqueue(KIND, 1, { id: 'c', tags: [forEntity(line)] });
      expect(await idsOf({ entity: orderOf(4711) })).toEqual(['a']);
      expect(await idsOf({ entity: orderOf(4712), tags: ['red'] })).toEqual([]);
      expect(await idsOf({ entity: line })).toEqual(['c']);
      expect((await store.job('c')).tags).toEqual(['OrderLine:7%2C1%25,2']);
      expect(forEntity(Object.assign(new UrgentOrder(), { id: 1 }))).toBe('UrgentOrder:1');
      for (const entity of [new Order(), {}, new Date(), 'Order:1'])
        await expect(store.client.find({ entity: entity })).rejects.toMatchObject({
          path: 'entity',
        });
    });

    it('finds the jobs that a schedule has made', async () => {
      const encoder = new JobEncoder(1_000);
      const jobOf = (id: string, schedule: string) => ({
        ...encoder.encode({ kind: KIND, id }),
        settings: encodeSettings({ schedule, tick: 0 }),
      });
      await store.queue.enqueue([jobOf('a', 'nightly'), jobOf('b', 'hourly')]);
      await store.client.enqueue(KIND, 1, { id: 'c', tags: ['nightly', 'schedule:nightly'] });
      expect(await idsOf({ schedule: 'nightly' })).toEqual(['a']);
    });

    it('finds the job that holds a unique key of a kind now', async () => {
      const first = await store.client.enqueue(KIND, 1, { id: 'a', unique: { key: 'k' } });
      await store.client.enqueue('other', 1, { id: 'b', unique: { key: 'k', while: 'unsettled' } });
      await store.client.enqueue(KIND, 1, { id: 'c', unique: { key: 'other' } });
      await store.client.enqueue(KIND, 1, { id: 'd', unique: { key: 'window', while: { forMs: HOUR } } });
      expect(await idsOf({ uniqueKey: 'k', kinds: [KIND, 'other'] })).toEqual(['a', 'b']);
      expect(await idsOf({ uniqueKey: 'k', kinds: [KIND] })).toEqual([first.id]);
      await store.queue.claim([KIND, 'other'], 10, LONG);
      expect(await idsOf({ uniqueKey: 'k', kinds: [KIND, 'other'] })).toEqual(['b']);
      expect(await idsOf({ uniqueKey: 'window', kinds: [KIND] })).toEqual(['d']);
      await store.client.cancel('b');
      await store.queue.releaseUnheld(LONG.workerId, []);
      expect(await idsOf({ uniqueKey: 'k', kinds: ['other'] })).toEqual([]);
      await expect(store.client.find({ uniqueKey: 'k' })).rejects.toMatchObject({ path: 'filter.uniqueKey' });
    });

    it('finds jobs by when they were made, changed and are to run', async () => {
      const { createdAt } = await store.client.enqueue(KIND, 1, { id: 'a' });
      await store.client.enqueue(KIND, 1, { id: 'b', delayMs: HOUR });
      const at = (ms: number) => new Date(createdAt.getTime() + ms);
      expect(await idsOf({ createdAfter: at(-HOUR), createdBefore: at(HOUR) })).toEqual(['a', 'b']);
      expect(await idsOf({ createdAfter: at(HOUR) })).toEqual([]);
      expect(await idsOf({ createdBefore: at(-HOUR) })).toEqual([]);
      expect(await idsOf({ runAfter: at(HOUR / 2) })).toEqual(['b']);
      expect(await idsOf({ runBefore: at(HOUR / 2) })).toEqual(['a']);
      expect(await idsOf({ updatedBefore: at(HOUR), runAfter: at(HOUR / 2), states: ['scheduled'] })).toEqual(
        ['b'],
      );
      expect(await idsOf({ updatedAfter: at(HOUR) })).toEqual([]);
      await store.letPass(HOUR);
      expect(await idsOf({ createdAfter: new Date((await store.queue.reads.now()) - HOUR / 2) })).toEqual([]);
    });

    it('finds jobs by a text in their last error, letter by letter', async () => {
      await oneOfEach();
      expect(await idsOf({ error: 'no such order' })).toEqual(['failed']);
      expect(await idsOf({ error: 'Error: ' })).toEqual(['failed', 'retrying']);
      expect(await idsOf({ error: 'NO SUCH ORDER' })).toEqual([]);
      expect(await idsOf({ error: '%' })).toEqual([]);
    });

    it('finds jobs by values in their payloads', async () => {
      const payloads: Record<string, unknown> = {
        a: { order: { id: 4711, name: 'Größe "M" \\ 🌱\u0000' }, items: [{ sold: true }, { sold: false }] },
        b: { order: { id: '4711' }, items: [{ sold: false }] },
        c: { id: 4711, order: { note: null }, other: { order: { id: 4711 } } },
        d: [4711, 'x'],
        e: new TextEncoder().encode('{"order":{"id":4711}}'),
        f: undefined,
        g: { order: { id: 47110, total: -1.5e-7 } },
      };
      await store.client.enqueueMany(
        Object.entries(payloads).map(([id, payload]) => ({ kind: KIND, id, payload })),
      );
      const by = (payload: JobFilter['payload']) => idsOf({ payload });
      expect(await by({ 'order.id': 4711 })).toEqual(['a']);
      expect(await by({ 'order.id': '4711' })).toEqual(['b']);
      expect(await by({ 'order.name': 'Größe "M" \\ 🌱\u0000' })).toEqual(['a']);
      expect(await by({ 'order.note': null })).toEqual(['c']);
      expect(await by({ 'order.total': -1.5e-7 })).toEqual(['g']);
      expect(await by({ 'items.0.sold': false })).toEqual(['b']);
      expect(await by({ 'order.id': 4711, 'items.1.sold': false })).toEqual(['a']);
      expect(await by({ 0: 4711 })).toEqual(['d']);
      expect(await by({ 'order.constructor.name': 'Object', 'order.length': 1 })).toEqual([]);
      expect(await store.client.count({ payload: { 'order.id': 4711 } })).toEqual({
        value: 1,
        capped: false,
      });
    });

    it('goes on until the page is full where few of the jobs that a database finds fit', async () => {
      const near = Array.from({ length: 60 }, (_, n) => ({ id: `near ${n}`, payload: { a: { id: 7 } } }));
      const right = Array.from({ length: 12 }, (_, n) => ({ id: `right ${n}`, payload: { id: 7 } }));
      await store.client.enqueueMany([...near, ...right].map((job) => ({ kind: KIND, ...job })));
      const page = await store.client.find({ payload: { id: 7 } }, { order: 'oldest', limit: 10 });
      expect(page.jobs).toHaveLength(10);
      expect(page.next).toBe(page.jobs[9]!.id);
      const rest = await store.client.find(
        { payload: { id: 7 } },
        { order: 'oldest', limit: 10, after: page.next },
      );
      expect(rest).toMatchObject({ next: null, complete: true });
      expect(rest.jobs).toHaveLength(2);
      expect(await store.client.count({ payload: { id: 7 } }, { cap: 11 })).toEqual({
        value: 11,
        capped: true,
      });
    });

    it('looks at no more jobs than it may, says so, and goes on from there', async () => {
      await store.client.enqueueMany(
        Array.from({ length: 700 }, (_, n) => ({
          kind: n === 650 ? 'rare' : KIND,
          id: `job ${String(n).padStart(3, '0')}`,
          tags: ['t'],
        })),
      );
      const { reads } = store.queue;
      const bounds: SearchBounds = { order: 'oldest', after: null, limit: 5, maxSearched: 300 };
      for (const conditions of [{ kinds: ['rare'] }, { kinds: ['rare'], labels: ['t'] }] as JobConditions[]) {
        const first = await reads.search(conditions, bounds);
        expect(first).toEqual({ ids: [], searched: 300, reached: 'job 299' });
        const second = await reads.search(conditions, { ...bounds, after: first.reached });
        expect(second).toEqual({ ids: [], searched: 300, reached: 'job 599' });
        const third = await reads.search(conditions, { ...bounds, after: second.reached });
        expect(third).toEqual({ ids: ['job 650'], searched: 100, reached: null });
        const back = await reads.search(conditions, { ...bounds, order: 'newest', limit: 1 });
        expect(back).toEqual({ ids: ['job 650'], searched: 50, reached: 'job 650' });
        expect(await reads.count(conditions, { cap: 10, maxSearched: 300 })).toEqual({
          value: 0,
          isCapped: true,
        });
        expect(await reads.count(conditions, { cap: 10, maxSearched: 1_000 })).toEqual({
          value: 1,
          isCapped: false,
        });
      }
    });

    it('is refused with what no job can be like', async () => {
      for (const filter of [
        { nonsense: 1 },
        null,
        'kinds',
        { kinds: KIND },
        { kinds: [''] },
        { ids: [7] },
        { ids: Array.from({ length: 1_001 }, (_, n) => `job ${n}`) },
        { states: ['PENDING'] },
        { tags: ['a', 'a'] },
        { schedule: 7 },
        { createdAfter: '2026-01-01' },
        { runBefore: new Date(NaN) },
        { error: '' },
        { error: 'a\0b' },
        { payload: { 'a..b': 1 } },
        { payload: { a: {} } },
        { payload: { a: NaN } },
        { payload: 'a' },
      ])
        for (const call of ['find', 'count'] as const) {
          const error: unknown = await store.client[call](filter as never).catch((thrown: unknown) => thrown);
          expect(error).toBeInstanceOf(InvalidJobError);
        }
      for (const options of [
        { limit: 0 },
        { limit: 501 },
        { limit: 1.5 },
        { order: 'best' },
        { after: 7 },
        { cap: 1 },
        null,
      ])
        await expect(store.client.find({}, options as never)).rejects.toBeInstanceOf(InvalidJobError);
      for (const options of [{ cap: 0 }, { cap: 100_001 }, { limit: 1 }])
        await expect(store.client.count({}, options as never)).rejects.toBeInstanceOf(InvalidJobError);
    });
  });

  describe('5. Count', () => {
    it('counts jobs up to a cap', async () => {
      await store.client.enqueueMany(
        Array.from({ length: 30 }, (_, n) => ({
          kind: n % 3 === 0 ? 'third' : KIND,
          tags: [n % 2 === 0 ? 'even' : 'odd'],
        })),
      );
      expect(await store.client.count()).toEqual({ value: 30, capped: false });
      expect(await store.client.count({ kinds: ['third'] })).toEqual({ value: 10, capped: false });
      expect(await store.client.count({ kinds: ['third'] }, { cap: 10 })).toEqual({
        value: 10,
        capped: false,
      });
      expect(await store.client.count({ kinds: ['third'] }, { cap: 9 })).toEqual({ value: 9, capped: true });
      expect(await store.client.count({ tags: ['even'], kinds: ['third'] })).toEqual({
        value: 5,
        capped: false,
      });
      expect(await store.client.count({ states: ['ready'] }, { cap: 4 })).toEqual({ value: 4, capped: true });
      expect(await store.client.count({ ids: [] })).toEqual({ value: 0, capped: false });
    });
  });

  it('5. The errors of jobs are read without their payloads', async () => {
    await store.client.enqueueMany(['bad', 'good'].map((id) => ({ kind: KIND, id, payload: { id } })));
    const run = ({ id }: { readonly id: string }) => {
      if (id === 'bad') throw new TypeError('no such thing', { cause: 4711 });
    };
    await store.work({ [KIND]: run });
    const { updatedAt, lastError } = await store.ended('bad');
    await store.ended('good');
    const failures = await store.queue.reads.failures(['bad', 'good', 'gone']);
    const byId = failures.toSorted((one, other) => (one.id < other.id ? -1 : 1));
    expect(byId).toEqual([
      { id: 'bad', kind: KIND, lastError, updatedAt },
      { id: 'good', kind: KIND, lastError: null, updatedAt: expect.any(Date) },
    ]);
    expect(lastError).toContain('no such thing');
    expect(await store.queue.reads.failures([])).toEqual([]);
  });

  if (!(store instanceof SqlStore)) return;

  it('5. Find takes a row that something else has written as it is', async () => {
    await store.client.enqueue(KIND, { n: 1 }, { id: 'good' });
    await store.sql('INSERT INTO nest_jobs_labels (label, job_id) VALUES (?, ?), (?, ?)', [
      't',
      'gone',
      't',
      'good',
    ]);
    await store.sql('UPDATE nest_jobs SET settings = \'{"tags":["t"]}\'');
    expect(await store.client.find({ tags: ['t'] })).toMatchObject({ jobs: [{ id: 'good' }], searched: 2 });
    expect(await store.client.count({ tags: ['t'] })).toEqual({ value: 1, capped: false });
  });
}

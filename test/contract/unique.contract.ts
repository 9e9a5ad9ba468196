import { describe, expect, it } from '@jest/globals';
import { encodeDocument } from '../../lib/job/document.js';
import { DuplicateJobError } from '../../lib/job/errors.js';
import type { Job, JobSettings } from '../../lib/job/job.js';
import type { Outcome } from '../../lib/job/outcome.js';
import type { OnConflict, UniqueWhile } from '../../lib/job/unique.js';
import { KIND, LONG, SqlStore, type Store } from '../support/store.js';

const HOUR = 3_600_000;
const DONE: Outcome = { type: 'done', result: encodeDocument(1, 'result', 100) };
const RETRY: Outcome = { type: 'retry', delayMs: HOUR, lastError: 'Error: later' };

/** What has become of a job that took a key. */
const STATES = ['waiting', 'released', 'running', 'retrying', 'done', 'gone'] as const;
type State = (typeof STATES)[number];

const WHILES: readonly [name: string, held: UniqueWhile, states: readonly State[]][] = [
  ['waiting', 'waiting', ['waiting', 'released']],
  ['unsettled', 'unsettled', ['waiting', 'released', 'running', 'retrying']],
  ['for a time', { forMs: HOUR }, ['waiting', 'released', 'running', 'retrying', 'done']],
];

/** What a unique key, a debounce, a throttle and `ifExists` make of an enqueue. Transactions have a contract of their own. */
export function uniqueContract(store: Store): void {
  const enqueue = (payload: unknown, settings: JobSettings, kind = KIND) =>
    store.client.enqueue(kind, payload, settings);
  const keyed = (key: string, held?: UniqueWhile, onConflict?: OnConflict) => ({
    unique: { key, ...(held && { while: held }), ...(onConflict && { onConflict }) },
  });
  const idsOf = (jobs: readonly Job[]) => jobs.map(({ id }) => id);
  const ready = async () => idsOf(await store.queue.claim([KIND], 99, LONG)).toSorted();

  /** Brings the one job that is ready into a state. */
  const bringInto = async (state: State): Promise<void> => {
    if (state === 'waiting') return;
    const job = await store.claimOne();
    if (state === 'released') await store.queue.release([job]);
    if (state === 'retrying') await store.queue.settle([{ ...job, outcome: RETRY }]);
    if (state === 'done') await store.queue.settle([{ ...job, outcome: DONE }]);
    if (state === 'gone') await store.queue.settle([{ ...job, outcome: DONE, deletes: true }]);
  };

  describe('A unique key', () => {
    it('makes the first enqueue a job, and lets the next one join it', async () => {
      const first = await enqueue('first', keyed(' a '));
      expect(first).toMatchObject({ enqueued: 'created', uniqueKey: 'a', payload: 'first' });
      const second = await enqueue('second', keyed('a'));
      expect(second).toMatchObject({ enqueued: 'joined', id: first.id, uniqueKey: 'a', payload: 'first' });
      expect(await store.client.get(first.id)).toEqual({ ...first, enqueued: undefined });
      expect(await ready()).toEqual([first.id]);
    });

    it('belongs to its kind', async () => {
      await enqueue(1, keyed('a'));
      expect(await enqueue(1, keyed('a'), 'other')).toMatchObject({ enqueued: 'created', kind: 'other' });
    });

    it('is compared byte by byte', async () => {
      const keys = ['a', 'A', 'á', 'a\u0301', 'ß', 'ss', 'a b', 'a  b', '1', '01', '1e0', '"\\', '\u{1F600}'];
      const made = await store.client.enqueueMany(keys.map((key) => ({ kind: KIND, ...keyed(key) })));
      expect(new Set(idsOf(made)).size).toBe(keys.length);
      const again = await store.client.enqueueMany(keys.map((key) => ({ kind: KIND, ...keyed(key) })));
      expect(idsOf(again)).toEqual(idsOf(made));
      for (const [index, key] of keys.entries())
        expect(await enqueue(1, keyed(key))).toMatchObject({ id: made[index]!.id, enqueued: 'joined' });
    });

    it('is refused where another job holds it, and the error names that job', async () => {
      const { id } = await enqueue('first', keyed('a'));
      const refused = enqueue('second', keyed('a', 'waiting', 'reject'));
      await expect(refused).rejects.toBeInstanceOf(DuplicateJobError);
      await expect(refused).rejects.toMatchObject({ id, kind: KIND, key: 'a' });
      expect(await ready()).toEqual([id]);
    });

    it('is free where its job has been deleted by hand', async () => {
      const { id } = await enqueue(1, { ...keyed('a', { forMs: HOUR }) });
      await bringInto('gone');
      expect(await enqueue(2, keyed('a'))).toMatchObject({ enqueued: 'created' });
      expect(await store.client.get(id)).toBeNull();
    });

    it('is free for a job with the same id, once the row of that is gone', async () => {
      await enqueue(1, { id: 'own', ...keyed('a', 'unsettled') });
      expect(await enqueue(2, { id: 'own', ...keyed('a') })).toMatchObject({ id: 'own', enqueued: 'joined' });
      await bringInto('gone');
      const again = await enqueue(3, { id: 'own', ...keyed('a', { forMs: HOUR }) });
      expect(again).toMatchObject({ id: 'own', enqueued: 'created' });
      await bringInto('done');
      expect(await enqueue(4, keyed('a'))).toMatchObject({ id: 'own', enqueued: 'joined', status: 'DONE' });
    });

    describe.each(WHILES)('held while %s', (_name, held, states) => {
      it.each(STATES)('lets others join, or refuses them, as long as it is held: %s', async (state) => {
        const first = await enqueue('first', keyed('a', held));
        await bringInto(state);
        const isHeld = states.includes(state);
        const refusal = await enqueue('x', keyed('a', held, 'reject')).catch((error: unknown) => error);
        if (isHeld) expect(refusal).toMatchObject({ name: 'DuplicateJobError', id: first.id, key: 'a' });
        else expect(refusal).toMatchObject({ enqueued: 'created' });
        const holder = isHeld ? first.id : (refusal as Job).id;
        const joined = await enqueue('y', keyed('a', held));
        expect(joined).toMatchObject({ enqueued: 'joined', id: holder, payload: isHeld ? 'first' : 'x' });
      });

      it.each(STATES)(
        'is replaced where its job waits, and followed by one job otherwise: %s',
        async (state) => {
          const first = await enqueue('first', keyed('a', held));
          await bringInto(state);
          const second = await enqueue('second', keyed('a', held, 'replace'));
          const isWaiting = state === 'waiting' || state === 'released';
          expect(second).toMatchObject({ payload: 'second', enqueued: isWaiting ? 'replaced' : 'created' });
          expect(second.id === first.id).toBe(isWaiting);
          const third = await enqueue('third', keyed('a', held, 'replace'));
          expect(third).toMatchObject({ id: second.id, payload: 'third', enqueued: 'replaced' });
          expect(await enqueue('fourth', keyed('a', held))).toMatchObject({
            id: second.id,
            enqueued: 'joined',
          });
          expect(await ready()).toEqual([second.id]);
        },
      );
    });

    it('is held for its time from the enqueue on, whatever becomes of the job', async () => {
      const first = await enqueue(1, keyed('a', { forMs: HOUR }));
      await bringInto('done');
      await store.letPass(HOUR - 60_000);
      expect(await enqueue(2, keyed('a'))).toMatchObject({ id: first.id, enqueued: 'joined' });
      await store.letPass(120_000);
      expect(await enqueue(3, keyed('a'))).toMatchObject({ enqueued: 'created' });
    });

    it('gives a job that is replaced all that the new one says, and leaves its id and its creation', async () => {
      const runAt = new Date('2031-02-03T04:05:06.789Z');
      const first = await enqueue('first', {
        tags: ['old'],
        maxAttempts: 3,
        priority: 5,
        runAt,
        ...keyed('a'),
      });
      const backoff = { type: 'fixed', delayMs: 5 } as const;
      const settings = {
        tags: ['new', '\u{1F600}'],
        priority: -7,
        backoff,
        ...keyed('a', 'waiting', 'replace'),
      };
      const second = await enqueue(new Uint8Array([1, 2]), settings);
      expect(second).toMatchObject({ id: first.id, createdAt: first.createdAt, enqueued: 'replaced' });
      expect(second).toMatchObject({ payload: new Uint8Array([1, 2]), tags: ['new', '\u{1F600}'], backoff });
      expect(second).toMatchObject({ priority: -7, state: 'ready', uniqueKey: 'a' });
      expect(second.maxAttempts).toBeUndefined();
      expect(second.updatedAt.getTime()).toBeGreaterThanOrEqual(first.updatedAt.getTime());
      expect(await store.client.get(first.id)).toEqual({ ...second, enqueued: undefined });
      const third = await enqueue(
        { big: 'x'.repeat(10_000) },
        { runAt, ...keyed('a', 'waiting', 'replace') },
      );
      expect(third).toMatchObject({ id: first.id, state: 'scheduled', runAt, priority: 0 });
      expect(third).not.toHaveProperty('tags');
      expect(await ready()).toEqual([]);
      const fourth = await enqueue('now', keyed('a', 'waiting', 'replace'));
      expect(await store.claimOne()).toMatchObject({ id: fourth.id, payload: 'now' });
    });

    it('lasts as long as the terms say under which it was taken', async () => {
      const first = await enqueue(1, keyed('a', 'unsettled'));
      await bringInto('running');
      expect(await enqueue(2, keyed('a', 'waiting'))).toMatchObject({ id: first.id, enqueued: 'joined' });
    });
  });

  describe('A debounce', () => {
    const debounce = (waitMs: number, maxWaitMs?: number) => ({ debounce: { key: 'a', waitMs, maxWaitMs } });
    const delayOf = ({ runAt, createdAt }: Job) => runAt.getTime() - createdAt.getTime();

    it('starts one job when the enqueues have paused, with the last payload', async () => {
      const first = await enqueue('first', debounce(60_000));
      expect(first).toMatchObject({ enqueued: 'created', state: 'scheduled' });
      expect(Math.abs(delayOf(first) - 60_000)).toBeLessThan(200);
      await store.letPass(30_000);
      const second = await enqueue('second', debounce(60_000));
      expect(second).toMatchObject({ enqueued: 'replaced', id: first.id, payload: 'second' });
      expect(delayOf(second)).toBeGreaterThanOrEqual(89_000);
    });

    it('waits no longer than its longest wait after the first', async () => {
      const first = await enqueue('first', debounce(60_000, 90_000));
      await store.letPass(60_000);
      const second = await enqueue('second', debounce(60_000, 90_000));
      expect(second).toMatchObject({ enqueued: 'replaced', id: first.id });
      expect(Math.abs(delayOf(second) - 90_000)).toBeLessThan(200);
      await store.letPass(60_000);
      const third = await enqueue('third', debounce(60_000, 90_000));
      expect(third).toMatchObject({ enqueued: 'replaced', state: 'ready' });
      expect(await store.claimOne()).toMatchObject({ id: first.id, payload: 'third' });
      expect(await enqueue('fourth', debounce(60_000, 90_000))).toMatchObject({ enqueued: 'created' });
    });
  });

  describe('A throttle', () => {
    it('makes one job in its time', async () => {
      const throttle = { throttle: { key: 'a', perMs: HOUR } };
      const first = await enqueue(1, throttle);
      expect(await enqueue(2, throttle)).toMatchObject({ id: first.id, enqueued: 'joined', payload: 1 });
      await bringInto('done');
      expect(await enqueue(3, throttle)).toMatchObject({ id: first.id, enqueued: 'joined', status: 'DONE' });
      await store.letPass(HOUR + 1_000);
      const next = await enqueue(4, throttle);
      expect(next).toMatchObject({ enqueued: 'created', payload: 4 });
      expect(await enqueue(5, throttle)).toMatchObject({ id: next.id, enqueued: 'joined' });
    });
  });

  describe('ifExists', () => {
    it("'join' gives back the job with the id, whatever has become of it", async () => {
      const first = await enqueue('first', { id: 'own', ifExists: 'join' });
      expect(first).toMatchObject({ id: 'own', enqueued: 'created', payload: 'first' });
      const second = await enqueue('second', { id: 'own', ifExists: 'join', priority: 3 });
      expect(second).toMatchObject({ id: 'own', enqueued: 'joined', payload: 'first', priority: 0 });
      await bringInto('done');
      expect(await enqueue('third', { id: 'own', ifExists: 'join' })).toMatchObject({
        status: 'DONE',
        result: 1,
      });
      const refused = enqueue('fourth', { id: 'own', ifExists: 'reject' });
      await expect(refused).rejects.toMatchObject({ name: 'DuplicateJobError', id: 'own' });
    });

    it('is said of each job of a list, whose answers are in its order', async () => {
      await enqueue('there', { id: 'b' });
      const jobs = ['d', 'b', 'a', 'd'].map((id, payload) => ({
        kind: KIND,
        id,
        payload,
        ifExists: 'join' as const,
      }));
      const answers = await store.client.enqueueMany([...jobs, { kind: KIND, id: 'z', payload: 'z' }]);
      expect(answers.map(({ id, payload, enqueued }) => [id, payload, enqueued])).toEqual([
        ['d', 0, 'created'],
        ['b', 'there', 'joined'],
        ['a', 2, 'created'],
        ['d', 0, 'joined'],
        ['z', 'z', 'created'],
      ]);
      const refused = store.client.enqueueMany([
        jobs[0]!,
        { kind: KIND, id: 'new' },
        { kind: KIND, id: 'b' },
      ]);
      await expect(refused).rejects.toMatchObject({ name: 'DuplicateJobError', id: 'b' });
      expect(await store.client.get('new')).toBeNull();
    });
  });

  describe('A list of jobs', () => {
    it('is treated as if its jobs were enqueued one after another', async () => {
      const there = await enqueue('there', { id: 'there', ...keyed('c') });
      const job = (id: string, key: string, onConflict?: OnConflict, held?: UniqueWhile) => ({
        kind: KIND,
        id,
        payload: id,
        ...keyed(key, held, onConflict),
      });
      const answers = await store.client.enqueueMany([
        job('1', 'b'),
        job('2', 'a', 'replace'),
        { kind: KIND, id: '3', payload: '3' },
        job('4', 'b', 'join'),
        job('5', 'b', 'replace', 'unsettled'),
        job('6', 'c', 'replace'),
        job('7', 'c', 'join'),
        job('8', 'c', 'replace'),
        { kind: 'other', id: '9', payload: '9', ...keyed('b') },
        job('10', 'a', 'join'),
      ]);
      expect(answers.map(({ id, payload, enqueued }) => [id, payload, enqueued])).toEqual([
        ['1', '5', 'created'],
        ['2', '2', 'created'],
        ['3', '3', 'created'],
        ['1', '5', 'joined'],
        ['1', '5', 'replaced'],
        [there.id, '8', 'replaced'],
        [there.id, '8', 'joined'],
        [there.id, '8', 'replaced'],
        ['9', '9', 'created'],
        ['2', '2', 'joined'],
      ]);
      expect(await ready()).toEqual(['1', '2', '3', 'there']);
      expect(await enqueue('b', keyed('b'))).toMatchObject({ id: '1', enqueued: 'joined' }); // it is unsettled
    });

    it('is not written at all where one of its jobs is refused', async () => {
      const jobs = [
        { kind: KIND, id: '1', ...keyed('a') },
        { kind: KIND, id: '2' },
        { kind: KIND, id: '3', ...keyed('a', 'waiting', 'reject') },
      ];
      await expect(store.client.enqueueMany(jobs)).rejects.toMatchObject({ id: '1', key: 'a' });
      expect(await ready()).toEqual([]);
      expect(await enqueue(1, keyed('a'))).toMatchObject({ enqueued: 'created' });
    });

    it('may have hundreds of keys', async () => {
      const jobs = Array.from({ length: 600 }, (_, n) => ({
        kind: KIND,
        payload: n,
        ...keyed(`key ${n % 300}`),
      }));
      const answers = await store.client.enqueueMany(jobs);
      expect(answers.map(({ enqueued }) => enqueued)).toEqual(
        jobs.map((_, n) => (n < 300 ? 'created' : 'joined')),
      );
      const replaced = jobs.map(({ payload, unique: { key } }) => ({
        ...{ kind: KIND, payload: payload + 1_000 },
        ...keyed(key, 'waiting', 'replace'),
      }));
      const after = await store.client.enqueueMany(replaced);
      expect(idsOf(after)).toEqual(idsOf(answers));
      expect(after[7]).toMatchObject({ enqueued: 'replaced', payload: 1_307 });
    });
  });

  describe('A sweep', () => {
    const swept = async () => {
      const { deleted, reached } = await store.queue.uniqueJobs.sweep(null);
      expect(reached).toBeNull();
      return deleted;
    };

    it('deletes the keys that no job holds any more, and no other', async () => {
      const kindOf = ([name]: (typeof WHILES)[number], state: State) => `${name} ${state}`;
      const all = WHILES.flatMap((one) => STATES.map((state) => ({ one, state, kind: kindOf(one, state) })));
      for (const { one, state, kind } of all) {
        await enqueue('first', keyed('a', one[1]));
        await enqueue(1, keyed('a', one[1]), kind);
        const [job] = state === 'waiting' ? [] : await store.queue.claim([kind], 1, LONG);
        if (state === 'released') await store.queue.release([job!]);
        if (state === 'retrying') await store.queue.settle([{ ...job!, outcome: RETRY }]);
        if (state === 'done') await store.queue.settle([{ ...job!, outcome: DONE }]);
        if (state === 'gone') await store.queue.settle([{ ...job!, outcome: DONE, deletes: true }]);
      }
      // A job that runs for the first time may be given back. Then it waits again, and holds its key.
      const free = all.filter(
        ({ one: [name, , states], state }) =>
          !states.includes(state) && !(name === 'waiting' && state === 'running'),
      );
      expect(await swept()).toBe(free.length);
      expect(await swept()).toBe(0);
      await store.letPass(2 * HOUR);
      expect(await swept()).toBe(STATES.length - 1); // those that were held for a time
      const first = await enqueue('second', keyed('a'));
      expect(first).toMatchObject({ enqueued: 'joined', payload: 'first' });
    });

    it('goes through them in batches, each from where the one before has stopped', async () => {
      const jobs = Array.from({ length: 2_300 }, (_, n) => ({ kind: KIND, ...keyed(`key ${n}`) }));
      await store.client.enqueueMany(jobs);
      const kept = await enqueue(1, keyed('zz'));
      const claimed = await store.queue.claim([KIND], 2_300, LONG);
      await store.queue.settle(claimed.map((job) => ({ ...job, outcome: DONE })));
      let [batches, deleted] = [0, 0];
      let position = null;
      do {
        const batch = await store.queue.uniqueJobs.sweep(position);
        expect(batch.read).toBeLessThanOrEqual(1_000);
        batches += 1;
        deleted += batch.deleted;
        position = batch.reached;
      } while (position !== null);
      expect([batches, deleted]).toEqual([3, 2_300]);
      expect(await enqueue(2, keyed('zz'))).toMatchObject({ id: kept.id, enqueued: 'joined' });
      if (store instanceof SqlStore)
        expect(await store.sql('SELECT unique_key FROM nest_jobs_keys')).toEqual([{ unique_key: 'zz' }]);
    });
  });
}

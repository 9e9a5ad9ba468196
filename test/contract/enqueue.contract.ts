import { describe, expect, it } from '@jest/globals';
import { DuplicateJobError, InvalidJobError } from '../../lib/job/errors.js';
import type { Job, JobSettings, NewJob } from '../../lib/job/job.js';
import { until } from '../support/until.js';
import { KIND, LONG, type Store } from '../support/store.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const EMOJI = '\u{1F600}';

export function enqueueContract(store: Store): void {
  it('beside a list of jobs, a setting of a job is refused, and nothing is written', async () => {
    const enqueuing = store.client.enqueueMany([{ kind: KIND, id: 'listed' }], { delayMs: 5 } as never);
    await expect(enqueuing).rejects.toMatchObject({
      path: 'delayMs',
      problem: expect.stringContaining('with each job'),
    });
    expect(await store.client.get('listed')).toBeNull();
  });

  /** A database may read its clock more than once within a statement. */
  const expectNear = (actual: number, expected: number) => {
    expect(Math.abs(actual - expected)).toBeLessThan(200);
  };
  const enqueue = (settings: JobSettings = {}, kind = KIND) => store.client.enqueue(kind, 'hello', settings);
  /** What an enqueue has returned, without what only an enqueue tells. */
  const asRead = (job: Job): Job => ({ ...job, enqueued: undefined });
  const idsOf = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id);
  const list = (count: number, more: Partial<NewJob> = {}): NewJob[] =>
    Array.from({ length: count }, (_, index) => ({ kind: KIND, payload: index, ...more }));

  describe('1. A job and its id', () => {
    it('is stored with every field at its default', async () => {
      const job = await store.client.enqueue(KIND, { to: 'ann' });
      expect(job).toEqual({
        id: expect.stringMatching(UUID_V7),
        kind: KIND,
        payload: { to: 'ann' },
        payloadVersion: 1,
        runAt: expect.any(Date),
        status: 'PENDING',
        state: 'ready',
        createdAt: expect.any(Date),
        updatedAt: expect.any(Date),
        attemptsDone: 0,
        priority: 0,
        crashes: 0,
        enqueued: 'created',
      });
    });

    it('is returned by enqueue as get reads it', async () => {
      const runAt = new Date('2031-02-03T04:05:06.789Z');
      const jobs = await store.client.enqueueMany([
        { kind: KIND, payload: { a: [1, 'x', null] }, priority: -3, maxAttempts: 4, runAt },
        { kind: KIND, id: ' mine ', payload: new Uint8Array([1, 2]), delayMs: 123_456 },
        { kind: KIND },
      ]);
      for (const job of jobs) expect(await store.client.get(job.id)).toEqual(asRead(job));
      expect(jobs[0]).toMatchObject({ runAt, priority: -3, maxAttempts: 4 });
      expectNear(jobs[1]!.runAt.getTime() - jobs[1]!.createdAt.getTime(), 123_456);
    });

    const runAt = new Date('2031-02-03T04:05:06.789Z');
    const settings = { priority: 7, maxAttempts: 4 };
    const bytes = new Uint8Array([1, 2]);
    it.each<[string, readonly Omit<NewJob, 'kind'>[]]>([
      ['alone, with a time', [{ payload: 'a', runAt, ...settings }]],
      ['alone, with a delay', [{ payload: bytes, delayMs: 60_000, ...settings }]],
      ['together, with nothing but payloads', [{ payload: 'a' }, {}, { payload: null }]],
      ['together, with the same time', [1, 2].map((payload) => ({ payload, runAt, ...settings }))],
      ['together, with the same delay', [1, 2].map((payload) => ({ payload, delayMs: 60_000, ...settings }))],
      ['together, one with bytes', [{ payload: 'a' }, { payload: bytes }]],
      ['together, one with a time', [{ payload: 'a' }, { runAt }]],
      ['together, one with a delay', [{ payload: 'a' }, { delayMs: 60_000 }]],
      ['together, one with a priority', [{ payload: 'a' }, { priority: 7 }]],
      ['together, one with maxAttempts', [{ payload: 'a' }, { maxAttempts: 4 }]],
    ])('is returned by enqueue as get reads it: %s', async (_how, jobs) => {
      const stored = await store.client.enqueueMany(jobs.map((job) => ({ kind: KIND, ...job })));
      for (const [index, job] of stored.entries()) {
        expect(await store.client.get(job.id)).toEqual(asRead(job));
        const { delayMs = 0, ...given } = jobs[index]!;
        expect(job).toMatchObject({ priority: 0, ...given });
        if (given.runAt === undefined) expectNear(job.runAt.getTime() - job.createdAt.getTime(), delayMs);
      }
    });

    it('has the tags that it was given, also while it runs, and others have none', async () => {
      const tags = ['blue', 'größe \u{1F600}', '"\\'];
      const [tagged, other] = await store.client.enqueueMany([{ kind: KIND, tags }, { kind: KIND }]);
      expect(tagged).toMatchObject({ tags });
      expect(other).not.toHaveProperty('tags');
      expect(await store.client.get(tagged!.id)).toEqual(asRead(tagged!));
      expect((await store.queue.claim([KIND], 2, LONG)).map((job) => job.tags)).toEqual([tags, undefined]);
    });

    it("keeps the caller's id, trimmed", async () => {
      expect((await enqueue({ id: ' \n order 7\t' })).id).toBe('order 7');
      expect(await store.client.get(' order 7 ')).toMatchObject({ id: 'order 7' });
    });

    it('has an id of 1 to 255 characters, counted by code points', async () => {
      for (const id of ['x', 'x'.repeat(255), EMOJI.repeat(255), ` ${'é'.repeat(255)} `]) {
        expect((await enqueue({ id })).id).toBe(id.trim());
        expect((await store.job(id.trim())).id).toBe(id.trim());
      }
      for (const id of ['', '  \t', 'x'.repeat(256), EMOJI.repeat(256), 7, null, 'a\0b', 'a\ud800']) {
        const refusal = enqueue({ id: id as string });
        await expect(refusal).rejects.toBeInstanceOf(InvalidJobError);
        await expect(refusal).rejects.toMatchObject({ path: 'id' });
      }
    });

    it('gets a UUIDv7 if it has no id, rising in the order of the list', async () => {
      const ids = idsOf(await store.client.enqueueMany(list(300)));
      for (const id of ids) expect(id).toMatch(UUID_V7);
      expect(ids).toEqual(ids.toSorted());
      expect(new Set(ids).size).toBe(300);
    });

    it('distinguishes ids that differ only in case, accents or normalization', async () => {
      const ids = ['a', 'A', 'á', 'a\u0301', 'ß', 'ss', 'a b', 'a  b'];
      for (const id of ids) await enqueue({ id });
      for (const id of ids) expect((await store.job(id)).id).toBe(id);
      expect(idsOf(await store.queue.claim([KIND], 20, LONG)).toSorted()).toEqual(ids.toSorted());
    });

    it('is read as null if it does not exist, and an invalid id is refused', async () => {
      expect(await store.client.get('nobody')).toBeNull();
      await expect(store.client.get(' ')).rejects.toBeInstanceOf(InvalidJobError);
    });
  });

  describe('2. enqueue is all or nothing', () => {
    const noneOf = async (ids: readonly string[]) => {
      for (const id of ids) expect(await store.client.get(id)).toBeNull();
      expect(await store.queue.claim([KIND], 5, LONG)).toEqual([]);
    };

    it('writes nothing if a job in the middle is invalid, and names its index', async () => {
      const jobs: NewJob[] = [
        { kind: KIND, id: 'one' },
        { kind: KIND, id: 'two', payload: { price: [1, NaN] } },
        { kind: KIND, id: 'three' },
      ];
      await expect(store.client.enqueueMany(jobs)).rejects.toMatchObject({
        name: 'InvalidJobError',
        path: 'jobs[1].payload.price[1]',
      });
      await noneOf(['one', 'two', 'three']);
    });

    it('writes nothing if an id occurs twice', async () => {
      const jobs = ['one', 'two', 'one'].map((id) => ({ kind: KIND, id }));
      const refusal = store.client.enqueueMany(jobs);
      await expect(refusal).rejects.toBeInstanceOf(DuplicateJobError);
      await expect(refusal).rejects.toMatchObject({ id: 'one' });
      await noneOf(['one', 'two']);
    });

    it.each([
      'taken',
      `it's "quoted"`,
      EMOJI,
      'é'.repeat(255),
      'x'.repeat(255),
      "x' for key 'y",
      'a)=(b',
      'a?',
    ])('writes nothing if the id %j already exists, names it, and leaves that job as it was', async (id) => {
      const before = await enqueue({ id, delayMs: 60_000 });
      const refusal = store.client.enqueueMany([
        { kind: KIND, id: 'other' },
        { kind: KIND, id: `${'x'.repeat(254)}y` },
        { kind: KIND, id, payload: 2 },
      ]);
      await expect(refusal).rejects.toBeInstanceOf(DuplicateJobError);
      await expect(refusal).rejects.toMatchObject({ id });
      expect(await store.job(id)).toEqual(asRead(before));
      await noneOf(['other']);
    });

    it('refuses the id of a settled job', async () => {
      await enqueue({ id: 'once' });
      await store.queue.dequeue([KIND], () => 'done');
      await expect(enqueue({ id: 'once' })).rejects.toBeInstanceOf(DuplicateJobError);
      expect(await store.job('once')).toMatchObject({ status: 'DONE', result: 'done' });
    });

    it('writes 2,500 jobs and more than 8 MB in one call, in the given order', async () => {
      const filler = 'f'.repeat(4_000);
      const jobs = list(2_500).map((job, index) => ({ ...job, payload: { index, filler } }));
      const stored = await store.client.enqueueMany(jobs);
      expect(stored.map(({ payload }) => (payload as { index: number }).index)).toEqual(
        jobs.map((_, index) => index),
      );
      const claimed = await store.queue.claim([KIND], 3_000, LONG);
      expect(idsOf(claimed)).toEqual(idsOf(stored));
    });

    it('writes nothing of 2,500 jobs and 8 MB if the last one already exists', async () => {
      await enqueue({ id: 'taken', delayMs: 60_000 });
      const filler = 'f'.repeat(4_000);
      const jobs = list(2_500).map((job, index) => ({ ...job, id: `job ${index}`, payload: filler }));
      const refusal = store.client.enqueueMany([...jobs, { kind: KIND, id: 'taken' }]);
      await expect(refusal).rejects.toMatchObject({ name: 'DuplicateJobError', id: 'taken' });
      await noneOf(['job 0', 'job 1200', 'job 2499']);
    });

    it('writes nothing for an empty list', async () => {
      expect(await store.client.enqueueMany([])).toEqual([]);
    });
  });

  describe('2. A job starts when its time has come', () => {
    it('is ready at once if runAt is absent or in the past', async () => {
      await enqueue({ id: 'absent' });
      await enqueue({ id: 'past', runAt: new Date(Date.now() - 3_600_000) });
      await enqueue({ id: 'long past', runAt: new Date('0001-01-01T00:00:00.000Z') });
      expect(idsOf(await store.queue.claim([KIND], 5, LONG))).toEqual(['long past', 'past', 'absent']);
    });

    it('does not start before its runAt, but then it does', async () => {
      const runAt = new Date(Date.now() + 300);
      await enqueue({ id: 'later', runAt });
      expect(await store.queue.claim([KIND], 5, LONG)).toEqual([]);
      let started: Date | undefined;
      await until(async () => {
        const [job] = await store.queue.claim([KIND], 5, LONG);
        started = job && new Date(job.lockedUntil.getTime() - LONG.leaseMs);
        return job !== undefined;
      });
      expect(started!.getTime()).toBeGreaterThanOrEqual(runAt.getTime());
    });

    it('does not start before its delayMs is over, but then it does', async () => {
      const job = await enqueue({ delayMs: 300 });
      expectNear(job.runAt.getTime() - job.createdAt.getTime(), 300);
      let started = 0;
      await store.work({ [KIND]: () => void (started = Date.now()) });
      await store.ended(job.id);
      expect(started).toBeGreaterThanOrEqual(job.runAt.getTime());
    });

    it('is not started by a worker or a dequeue while it is scheduled', async () => {
      await enqueue({ delayMs: 60_000 });
      const run = () => expect(true).toBe(false);
      expect(await store.queue.dequeue([KIND], run)).toBe(false);
    });

    it.each(['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'])(
      'keeps the runAt %s to the millisecond',
      async (text) => {
        const { id, runAt } = await enqueue({ runAt: new Date(text) });
        expect(runAt.toISOString()).toBe(text);
        expect((await store.job(id)).runAt.toISOString()).toBe(text);
      },
    );
  });

  describe('13. A value that cannot be stored is refused, with its path', () => {
    const refusals: [string, Partial<NewJob>, string][] = [
      ['a runAt that is an invalid date', { runAt: new Date(NaN) }, 'runAt'],
      ['a runAt that is a number', { runAt: 5 as unknown as Date }, 'runAt'],
      ['a runAt before year 1', { runAt: new Date('0000-12-31T23:59:59.999Z') }, 'runAt'],
      ['a runAt after year 9999', { runAt: new Date('+010000-01-01T00:00:00.000Z') }, 'runAt'],
      ['a runAt in year 275760', { runAt: new Date(8.64e15) }, 'runAt'],
      ['a delayMs that is not a number', { delayMs: NaN }, 'delayMs'],
      ['a negative delayMs', { delayMs: -1 }, 'delayMs'],
      ['an infinite delayMs', { delayMs: Infinity }, 'delayMs'],
      ['runAt and delayMs together', { delayMs: 1, runAt: new Date() }, 'delayMs'],
      ['a kind of 256 characters', { kind: 'k'.repeat(256) }, 'kind'],
      ['a blank kind', { kind: ' ' }, 'kind'],
      ['a kind that is not a string', { kind: 5 as unknown as string }, 'kind'],
      ['a kind with NUL', { kind: 'a\0' }, 'kind'],
      ['a priority that is not a whole number', { priority: 0.5 }, 'priority'],
      ['a priority of more than 32 bits', { priority: 2 ** 31 }, 'priority'],
      ['a maxAttempts of zero', { maxAttempts: 0 }, 'maxAttempts'],
      ['a tag that is blank', { tags: ['a', ' '] }, 'tags[1]'],
    ];
    it.each(refusals)('refuses %s', async (_what, job, path) => {
      const refusal = store.client.enqueueMany([{ kind: KIND, ...job }]);
      await expect(refusal).rejects.toBeInstanceOf(InvalidJobError);
      await expect(refusal).rejects.toMatchObject({ path: `jobs[0].${path}` });
    });

    it.each([
      `'; DROP TABLE nest_jobs; --`,
      'back\\slash "double" `tick` ? $1 :a %s',
      EMOJI,
      EMOJI.repeat(255),
      'k'.repeat(255),
      'two\nlines',
    ])('accepts the kind %j and claims it', async (kind) => {
      const id = EMOJI.repeat(255);
      await enqueue({ id }, `  ${kind} `);
      expect(await store.claimOne(LONG, kind)).toMatchObject({ id, kind });
    });

    it('distinguishes kinds that differ only in case or accents', async () => {
      await enqueue({ id: 'upper' }, 'Mail');
      await enqueue({ id: 'accent' }, 'maíl');
      expect(await store.queue.claim(['mail', 'MAIL'], 5, LONG)).toEqual([]);
      expect(idsOf(await store.queue.claim(['Mail'], 5, LONG))).toEqual(['upper']);
    });

    it('accepts the extremes of priority, maxAttempts and delayMs', async () => {
      const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
      await enqueue({ id: 'last', priority: high, maxAttempts: high });
      await enqueue({ id: 'first', priority: low });
      const later = await enqueue({ delayMs: 100 * 365 * 86_400_000 });
      expect(await store.client.get(later.id)).toEqual(asRead(later));
      const claimed = await store.queue.claim([KIND], 5, LONG);
      expect(claimed.map(({ id, priority }) => [id, priority])).toEqual([
        ['first', low],
        ['last', high],
      ]);
      expect(claimed[1]).toMatchObject({ maxAttempts: high });
    });
  });
}

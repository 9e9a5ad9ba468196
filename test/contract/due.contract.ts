import { describe, expect, it } from '@jest/globals';
import { JobClient } from '../../lib/client/job-client.js';
import { RetryableError } from '../../lib/job/errors.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import { dialectFor } from '../../lib/storage/typeorm/dialect-for.js';
import { KIND, LONG, SqlStore, withMethods, type Store } from '../support/store.js';
import { until } from '../support/until.js';

/** What a watcher was told of jobs that are due later. */
interface Told {
  readonly kinds: readonly string[] | null;
  readonly inMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** No poll finds anything in these tests. A job that is found by the next poll is this late. */
const SELDOM = { pollIntervalMs: MINUTE_MS };
/** The most that a busy machine may take: far less than the time to the next poll. */
const SOON_MS = 20_000;

/** Scheduled and retried jobs start when they are due, and not at the next poll. */
export function dueContract(store: Store): void {
  const watched = () => {
    const told: Told[] = [];
    const ready: (readonly string[] | null)[] = [];
    const unwatch = store.queue.watch((kinds, inMs = 0) => {
      if (inMs > 0) told.push({ kinds, inMs });
      else ready.push(kinds);
    });
    return { told, ready, unwatch };
  };
  /** What watchers are told while `work` runs. */
  const toldOf = async (work: () => Promise<unknown>): Promise<Told[]> => {
    const { told, unwatch } = watched();
    await work();
    unwatch();
    return told;
  };
  const within = (low: number, high: number, { inMs }: Told) => {
    expect(inMs).toBeGreaterThan(low);
    expect(inMs).toBeLessThanOrEqual(high);
  };

  describe('A claim tells watchers when the next job of its kinds is due', () => {
    const claim = (kinds: readonly string[], limit = 5) =>
      toldOf(() => store.queue.claim(kinds, limit, LONG));

    it('where it found none, by the clock of the storage', async () => {
      await store.client.enqueueMany([
        { kind: KIND, delayMs: HOUR_MS },
        { kind: KIND, delayMs: 10 * MINUTE_MS },
        { kind: 'other', delayMs: 5 * MINUTE_MS },
      ]);
      for (const kinds of [[KIND], [KIND, 'nothing']]) {
        const [told, ...more] = await claim(kinds);
        within(8 * MINUTE_MS, 10 * MINUTE_MS, told!);
        expect(told!.kinds).toEqual(kinds);
        expect(more).toEqual([]);
      }
      within(3 * MINUTE_MS, 5 * MINUTE_MS, (await claim([KIND, 'other']))[0]!);
      expect(await claim(['nothing'])).toEqual([]);
      expect(await claim(['nothing', 'mai'])).toEqual([]);
    });

    it('where it took less than it asked for, and not where it took all', async () => {
      await store.client.enqueueMany([{ kind: KIND, delayMs: 10 * MINUTE_MS }, ...ready(5)]);
      for (const kinds of [[KIND], [KIND, 'other']]) {
        expect(await claim(kinds, 2)).toEqual([]);
      }
      within(8 * MINUTE_MS, 10 * MINUTE_MS, (await claim([KIND], 2))[0]!);
    });

    it('but not of jobs that run, have ended or are ready', async () => {
      await store.client.enqueueMany(ready(2));
      await store.claimOne();
      expect(await claim([KIND])).toEqual([]);
    });

    const ready = (count: number) => Array.from({ length: count }, () => ({ kind: KIND }));
  });

  describe('Watchers are told when it is due', () => {
    it('of a job that is enqueued for later, and not that it is ready', async () => {
      const { told, ready, unwatch } = watched();
      await store.client.enqueue(KIND, null, { delayMs: 10 * MINUTE_MS });
      await store.client.enqueue('other', null, { runAt: new Date(Date.now() + HOUR_MS) });
      unwatch();
      expect(told.map(({ kinds }) => kinds)).toEqual([[KIND], ['other']]);
      within(8 * MINUTE_MS, 10 * MINUTE_MS, told[0]!);
      within(58 * MINUTE_MS, 61 * MINUTE_MS, told[1]!);
      expect(ready.flat().filter((kind) => kind !== null)).toEqual([]);
    });

    it('of a job that a transaction has enqueued, after its commit', async () => {
      const { told, unwatch } = watched();
      await store.dataSource.transaction(async (manager) => {
        const jobs = [
          { kind: KIND, delayMs: 10 * MINUTE_MS },
          { kind: KIND, runAt: new Date(Date.now() + HOUR_MS) },
          { kind: KIND, runAt: new Date(0) },
        ];
        await store.client.enqueueMany(jobs, { manager });
        expect(told).toEqual([]);
      });
      unwatch();
      expect(told.length).toBeGreaterThan(0);
      within(8 * MINUTE_MS, 10 * MINUTE_MS, told[0]!);
    });

    it('of a job that is to be retried', async () => {
      await store.client.enqueue(KIND);
      const job = await store.claimOne();
      const outcome = { type: 'retry', delayMs: 10 * MINUTE_MS, lastError: 'not yet' } as const;
      const told = await toldOf(() => store.queue.settle([{ ...job, outcome }]));
      expect(told).toEqual([{ kinds: [KIND], inMs: 10 * MINUTE_MS }]);
      expect(await toldOf(() => store.queue.settle([{ ...job, outcome }]))).toEqual([]); // the lease is over
    });
  });

  describe('A worker that polls once a minute', () => {
    /** How late the jobs have started, by id. */
    const lateness = new Map<string, number>();
    const handler = async ({ id, runAt }: { id: string; runAt: Date }) => {
      const now = store instanceof SqlStore ? await store.now() : Date.now();
      if (!lateness.has(id)) lateness.set(id, now - runAt.getTime());
    };
    const started = async (...ids: string[]) => {
      await until(() => ids.every((id) => lateness.has(id)), { what: 'the start of the jobs' });
      for (const id of ids) {
        expect(lateness.get(id)).toBeGreaterThanOrEqual(-1); // some instants are in whole milliseconds
        expect(lateness.get(id)).toBeLessThan(SOON_MS);
      }
    };

    it('starts jobs when they are due: those from before its start, and those that it hears of', async () => {
      lateness.clear();
      await store.client.enqueue(KIND, null, { id: 'before', delayMs: 300 });
      await store.work({ [KIND]: handler }, SELDOM);
      await store.client.enqueue(KIND, null, { id: 'delayed', delayMs: 500 });
      await store.client.enqueue(KIND, null, { id: 'at', runAt: new Date(Date.now() + 700) });
      await store.dataSource.transaction((manager) =>
        store.client.enqueue(KIND, null, { id: 'committed', delayMs: 600, manager }),
      );
      await started('before', 'delayed', 'at', 'committed');
    });

    it('starts a retry when it is due', async () => {
      await store.client.enqueue(KIND, null, { id: 'retried' });
      const beganAt = performance.now();
      let attempts = 0;
      const retry = { retryAfterMs: 100 };
      const run = () => {
        attempts += 1;
        if (attempts < 4) throw new RetryableError('not yet', retry);
      };
      await store.work({ [KIND]: run }, SELDOM);
      expect(await store.ended('retried')).toMatchObject({ status: 'DONE', attemptsDone: 4 });
      expect(performance.now() - beganAt).toBeLessThan(SOON_MS);
    });

    it('claims jobs that are due at the same instant together', async () => {
      const runAt = new Date(Date.now() + 1_000);
      const ids = Array.from({ length: 300 }, (_, n) => `same ${n}`);
      await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id, runAt })));
      let claims = 0;
      const queue = counted(store.queue, () => (claims += 1));
      let runs = 0;
      await store.work({ [KIND]: () => void (runs += 1) }, { ...SELDOM, concurrency: 100 }, queue);
      await until(() => runs === ids.length);
      expect(claims).toBeLessThan(60);
    });

    it('does not ask again and again for a kind that has no room, and claims it when there is', async () => {
      let release!: () => void;
      const running = new Promise<void>((resolve) => (release = resolve));
      let claims = 0;
      const queue = counted(store.queue, () => (claims += 1));
      let runs = 0;
      const run = () => ((runs += 1) === 1 ? running : undefined);
      await store.client.enqueue('few', null, { id: 'first' });
      await store.client.enqueue('few', null, { id: 'second', delayMs: 200 });
      await store.work({ few: { run, options: { concurrency: 1 } }, [KIND]: () => 1 }, SELDOM, queue);
      await until(() => runs === 1);
      const beganAt = performance.now();
      await until(() => performance.now() - beganAt > 600);
      expect(runs).toBe(1);
      expect(claims).toBeLessThan(10);
      release();
      await until(() => runs === 2, { timeoutMs: SOON_MS });
    });

    it('sends no more claims than before where jobs are scheduled for much later', async () => {
      await store.client.enqueueMany([
        { kind: KIND, delayMs: HOUR_MS },
        { kind: KIND, runAt: new Date('9999-12-31T00:00:00.000Z') },
      ]);
      let claims = 0;
      await store.work(
        { [KIND]: () => 1 },
        SELDOM,
        counted(store.queue, () => (claims += 1)),
      );
      const beganAt = performance.now();
      await until(() => performance.now() - beganAt > 500);
      expect(claims).toBeLessThanOrEqual(3); // at its start, when it begins to listen, and when it does
    });
  });

  if (store instanceof SqlStore) sqlDueContract(store, toldOf);
}

/** What depends on rows that others lock, and on there being very many. */
function sqlDueContract(store: SqlStore, toldOf: (work: () => Promise<unknown>) => Promise<Told[]>): void {
  if (store.isPostgres)
    it('A job that is never to start, as other programs write it, holds up no claim', async () => {
      await store.client.enqueue(KIND, null, { id: 'never', delayMs: HOUR_MS });
      await store.sql("UPDATE nest_jobs SET run_at = 'infinity'");
      await store.client.enqueue(KIND, null, { id: 'now' });
      expect(await store.queue.claim([KIND], 10, LONG)).toMatchObject([{ id: 'now' }]);
      expect(await store.queue.claim([KIND, 'other'], 10, LONG)).toEqual([]);
    });

  const scheduleOthers = (count: number, delayMs: (n: number) => number) =>
    store.client.enqueueMany(
      Array.from({ length: count }, (_, n) => ({ kind: 'other', delayMs: delayMs(n) })),
    );

  describe('Where jobs of other kinds come first, a claim looks at a hundred', () => {
    it('and tells when the last of them is due', async () => {
      await store.client.enqueue(KIND, null, { delayMs: HOUR_MS });
      await scheduleOthers(99, (n) => 10 * MINUTE_MS + n);
      const claims = () => store.queue.claim([KIND], 5, LONG);
      const [ours] = await toldOf(claims);
      expect(ours!.inMs).toBeGreaterThan(50 * MINUTE_MS);
      await scheduleOthers(50, (n) => 11 * MINUTE_MS + n);
      const [last] = await toldOf(claims);
      expect(last!.inMs).toBeLessThanOrEqual(11 * MINUTE_MS);
      expect(last!.inMs).toBeGreaterThan(8 * MINUTE_MS);
    });

    it('and does not look again at once where they stand close', async () => {
      await scheduleOthers(150, () => 10_000);
      await store.sql(
        'UPDATE nest_jobs SET run_at = (SELECT at FROM (SELECT min(run_at) AS at FROM nest_jobs) AS first)',
      );
      const end = (await store.instant(await anyId(), 'run_at')) - 50;
      await until(async () => (await store.now()) >= end, { what: 'shortly before they are due' });
      const told = await toldOf(() => store.queue.claim([KIND], 5, LONG));
      for (const { inMs } of told) expect(inMs).toBeGreaterThanOrEqual(100);
    });

    const anyId = async () => (await store.sql('SELECT id FROM nest_jobs LIMIT 1'))[0]!.id as string;
  });

  if (!store.hasManyWriters) return;

  describe('Where another worker is just marking jobs due', () => {
    it('a claim that does not see them yet tells to look again soon', async () => {
      await store.client.enqueue(KIND, null, { id: 'locked', delayMs: 20 });
      const dueAt = await store.instant('locked', 'run_at');
      await until(async () => (await store.now()) > dueAt + 20);
      await store.dataSource.transaction(async (manager) => {
        await manager.query(`SELECT id FROM nest_jobs WHERE id = 'locked' FOR UPDATE`);
        for (const kinds of [[KIND], [KIND, 'other']]) {
          const told = await toldOf(async () => {
            expect(await store.queue.claim(kinds, 5, LONG)).toEqual([]);
          });
          expect(told).toHaveLength(1);
          expect(told[0]!.inMs).toBeGreaterThanOrEqual(50);
          expect(told[0]!.inMs).toBeLessThan(10_000);
        }
        expect(await toldOf(() => store.queue.claim(['other'], 5, LONG))).toEqual([]);
      });
      expect(await store.claimOne()).toMatchObject({ id: 'locked' });
    });

    it('the last look of a claim takes what is ready, though jobs have come due', async () => {
      const dialect = dialectFor(store.dataSource, store.queueSettings());
      const settings = {
        answerMs: 30_000,
        patienceMs: 1_000,
        errors: dialect.errors,
        preparedStatements: true,
      };
      const connections = dialect.connect(store.dataSource, { ...settings, onFailure: () => undefined });
      try {
        for (const kinds of [[KIND], [KIND, 'other']]) {
          await store.client.enqueueMany([
            { kind: KIND, id: `come ${kinds.length}`, delayMs: 1, priority: -1 },
            { kind: KIND, id: `ready ${kinds.length}` },
          ]);
          const dueAt = await store.instant(`come ${kinds.length}`, 'run_at');
          await until(async () => (await store.now()) > dueAt);
          const look = (order: 'first' | 'last') =>
            connections.run((sql) => dialect.jobs.claim(sql, kinds, 5, LONG, order));
          const last = await look('last');
          const taken = last.jobs.map(({ id }) => id);
          expect(taken.length).toBeGreaterThan(0); // which of them depends on when they were marked
          expect(last).toMatchObject({ tryAgain: true, nextDueMs: 0 });
          taken.push(...(await look('first')).jobs.map(({ id }) => id));
          expect(taken.toSorted()).toEqual([`come ${kinds.length}`, `ready ${kinds.length}`]);
        }
      } finally {
        await connections.close();
      }
    });
  });

  if (!store.tellsWhenItListens) return;

  it('A worker that polls once a minute starts a job when it is due that another process has enqueued', async () => {
    const runs: string[] = [];
    await store.work({ [KIND]: ({ id }) => void runs.push(id) }, SELDOM);
    const producer = await store.database.connect();
    try {
      const client = new JobClient(store.openOn(producer));
      // The first shows that the worker listens.
      await until(async () => {
        await client.enqueue(KIND);
        return runs.length > 0;
      });
      const beganAt = performance.now();
      await client.enqueue(KIND, null, { id: 'far', delayMs: HOUR_MS });
      await client.enqueue(KIND, null, { id: 'delayed', delayMs: 300 });
      await producer.transaction((manager) =>
        client.enqueue(KIND, null, { id: 'at', runAt: new Date(Date.now() + 400), manager }),
      );
      await until(() => runs.includes('delayed') && runs.includes('at'));
      expect(performance.now() - beganAt).toBeLessThan(SOON_MS);
      expect(runs).not.toContain('far');
    } finally {
      await producer.destroy();
    }
  });
}

function counted(queue: JobQueue, count: () => void): JobQueue {
  return withMethods(queue, {
    claim: (...claim) => {
      count();
      return queue.claim(...claim);
    },
  });
}

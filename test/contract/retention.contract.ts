import { describe, expect, it } from '@jest/globals';
import { ChoreLoop } from '../../lib/maintenance/chore-loop.js';
import { pruneAll, PruneSettled } from '../../lib/maintenance/prune-settled.js';
import type { Outcome } from '../../lib/job/outcome.js';
import type { Pruned } from '../../lib/queue/retention-store.js';
import { resolveRetention, type Retention, type RetentionOptions } from '../../lib/job/retention.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, SqlStore, type Store } from '../support/store.js';

const DAY = 86_400_000;
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  done: { type: 'done', result: { json: '1', bytes: null } },
  failed: { type: 'failed', lastError: 'Error: no' },
  panic: { type: 'panic', lastError: 'panic: no' },
  retry: { type: 'retry', delayMs: 0, lastError: 'Error: later' },
};
const DONE = OUTCOMES.done!;

/** Settled jobs are kept for as long as the option says, and no longer. */
export function retentionContract(store: Store): void {
  const prune = (options: RetentionOptions | false, onBatch?: (pruned: Pruned) => void) =>
    pruneWhole(store, resolveRetention(options), onBatch);
  const enqueueAll = (ids: readonly string[], kind = KIND) =>
    store.client.enqueueMany(ids.map((id) => ({ kind, id })));
  /** Jobs that have ended like this. */
  const settled = async (outcome: Outcome, ids: readonly string[], kind = KIND) => {
    await enqueueAll(ids, kind);
    const jobs = await store.queue.claim([kind], ids.length, LONG);
    await store.queue.settle(jobs.map((job) => ({ ...job, outcome })));
  };
  const left = async (...ids: readonly string[]) => {
    const jobs = await Promise.all(ids.map((id) => store.queue.get(id)));
    return jobs.flatMap((job) => (job === null ? [] : [job.id]));
  };

  describe('Retention', () => {
    it('deletes what was settled longer ago than it is kept, by status', async () => {
      await settled(DONE, ['old done']);
      await settled(OUTCOMES.failed!, ['old failed']);
      await settled(OUTCOMES.panic!, ['old panic']);
      await store.letPass(8 * DAY);
      await settled(DONE, ['new done']);
      await settled(OUTCOMES.failed!, ['new failed']);
      const all = ['old done', 'old failed', 'old panic', 'new done', 'new failed'];
      expect(await prune({ panic: '9d' })).toMatchObject({ read: 5, deleted: 1 });
      expect(await left(...all)).toEqual(all.slice(1));
      await store.letPass(2 * DAY);
      expect(await prune({ done: false, failed: '9d', panic: '9d' })).toMatchObject({ read: 4, deleted: 2 });
      expect(await left(...all)).toEqual(['new done', 'new failed']);
      await store.letPass(1_000 * DAY);
      expect(await prune(false)).toMatchObject({ read: 2, deleted: 0, nextAt: null });
      expect(await prune({})).toMatchObject({ read: 2, deleted: 2 });
    });

    it('never touches a job that has not ended', async () => {
      await store.client.enqueueMany([
        { kind: KIND, id: 'running', priority: -3 },
        { kind: KIND, id: 'lost', priority: -2 },
        { kind: KIND, id: 'retried', priority: -1 },
        { kind: KIND, id: 'ready' },
        { kind: KIND, id: 'scheduled', delayMs: 10_000 * DAY },
      ]);
      await store.queue.claim([KIND], 1, { ...LONG, leaseMs: 10_000 * DAY });
      await store.queue.claim([KIND], 1, SHORT);
      const [retried] = await store.queue.claim([KIND], 1, LONG);
      await store.queue.settle([{ ...retried!, outcome: OUTCOMES.retry! }]);
      await store.letPass(365 * DAY);
      const all = { done: 0, failed: 0, cancelled: 0, panic: 0 };
      expect(await prune(all)).toMatchObject({ read: 5, deleted: 0, nextAt: null });
    });

    it('goes by the times of its own that a kind has, whatever its name', async () => {
      const kinds = ['short', 'kept', 'partly', `"quoted" \\ '$[0]`, '日本'];
      for (const kind of [KIND, ...kinds]) await settled(DONE, [`done ${kind}`], kind);
      await settled(OUTCOMES.failed!, ['failed partly'], 'partly');
      await store.letPass(DAY);
      const perKind = {
        short: { done: '12h' },
        kept: false,
        partly: { failed: 1_000 },
        [kinds[3]!]: { done: '90s' },
        日本: { done: '30m' },
      } as const;
      expect(await prune({ done: '2d', perKind })).toMatchObject({ read: 7, deleted: 4 });
      const kept = [KIND, 'kept', 'partly'].map((kind) => `done ${kind}`);
      expect(await left(...kept)).toEqual(kept);
      await store.letPass(100 * DAY);
      await prune({ done: '2d', perKind });
      expect(await left(...kept)).toEqual(['done kept']);
    });

    it('tells when the next job is to go', async () => {
      await settled(OUTCOMES.failed!, ['failed']);
      await store.letPass(3 * DAY);
      await settled(DONE, ['done']);
      const { nextAt, now } = await prune({ done: '7d', failed: '8d' });
      expect(Math.abs(nextAt! - now - 5 * DAY)).toBeLessThan(60_000);
      expect((await prune({ done: false, failed: false })).nextAt).toBeNull();
    });

    it('deletes a thousand jobs at a time at most, and reads on where it was', async () => {
      await settled(
        DONE,
        Array.from({ length: 2_300 }, (_, n) => `old ${n}`),
      );
      await store.letPass(DAY);
      await enqueueAll(['young']);
      const retention = resolveRetention({ done: '12h' });
      const counts: number[] = [];
      let from: string | null = null;
      do {
        const { deleted, reached } = await store.queue.retention.prune(retention, { from, until: null });
        counts.push(deleted);
        from = reached;
      } while (sum(counts) < 500);
      expect(Math.max(...counts)).toBeLessThanOrEqual(1_000);
      expect(from).not.toBeNull();
      // What lies before the place that was reached can be read by itself.
      const before = await pruneWhole(store, retention, (one) => counts.push(one.deleted), from);
      expect(before.deleted).toBeLessThan(300); // the rest of a page at most
      expect(sum(counts)).toBeLessThan(2_300);
      expect(await pruneAll(store.queue.retention, retention)).toBe(2_300 - sum(counts));
      expect(await left('old 0', 'old 2299', 'young')).toEqual(['young']);
    });

    it('reads no more than some thousand rows at a time', async () => {
      await settled(
        DONE,
        Array.from({ length: 9_000 }, (_, n) => `${'long id '.repeat(20)}${n}`),
      );
      const sizes: number[] = [];
      const { read, deleted } = await prune({}, (pruned) => sizes.push(pruned.read));
      expect([read, deleted]).toEqual([9_000, 0]);
      expect(Math.max(...sizes)).toBeLessThan(9_000);
    });
  });

  describe('A job that is settled with "deletes"', () => {
    const claimed = async (...ids: readonly string[]) => {
      await enqueueAll(ids);
      return store.queue.claim([KIND], ids.length, LONG);
    };

    it('is gone, and others of the batch are kept', async () => {
      const jobs = await claimed('a', 'b', 'c', 'd');
      const outcomes = [DONE, DONE, OUTCOMES.failed!, OUTCOMES.failed!];
      const batch = jobs.map((job, n) => ({ ...job, outcome: outcomes[n]!, deletes: n % 2 === 0 }));
      expect(await store.queue.settle(batch)).toEqual(['written', 'written', 'written', 'written']);
      expect(await left('a', 'b', 'c', 'd')).toEqual(['b', 'd']);
      expect(await store.job('b')).toMatchObject({ status: 'DONE', result: 1, attemptsDone: 1 });
      expect(await store.job('d')).toMatchObject({ status: 'FAILED', lastError: 'Error: no' });
    });

    it('is answered "lost" when it is settled once more, as after a lost answer', async () => {
      const batch = (await claimed('a', 'b')).map((job) => ({ ...job, outcome: DONE, deletes: true }));
      expect(await store.queue.settle(batch)).toEqual(['written', 'written']);
      expect(await store.queue.settle(batch)).toEqual(['lost', 'lost']);
      expect(await store.queue.renew([{ ...batch[0]!, alone: false }], 1_000)).toEqual(['lost']);
    });

    it('stays where its lease is lost', async () => {
      const [job] = await claimed('a');
      await store.queue.release([job!]);
      const again = await store.claimOne();
      expect(await store.queue.settle([{ ...job!, outcome: DONE, deletes: true }])).toEqual(['lost']);
      const other = { ...again, lockedBy: 'another' };
      expect(await store.queue.settle([{ ...other, outcome: DONE, deletes: true }])).toEqual(['lost']);
      expect(await store.job('a')).toMatchObject({ status: 'PENDING', lockedBy: again.lockedBy });
    });

    if (store.hasManyWriters) inTransactions();

    function inTransactions() {
      it('is gone with the commit of its transaction, and only with that', async () => {
        const [job] = await claimed('a');
        const attempt = { ...job!, attemptsDone: 0, signal: new AbortController().signal, alone: true };
        const fails = () => Promise.reject(new Error('no'));
        await expect(store.queue.runAndSettle({ ...attempt, deletes: true }, fails)).rejects.toThrow('no');
        expect(await left('a')).toEqual(['a']);
        const result = () => Promise.resolve({ json: null, bytes: null });
        expect(await store.queue.runAndSettle({ ...attempt, deletes: true }, result)).toBe('written');
        expect(await left('a')).toEqual([]);
        expect(await store.queue.runAndSettle({ ...attempt, deletes: true }, result)).toBe('lost');
      });
    }
  });

  describe('A retention of 0', () => {
    const retention = resolveRetention({ done: 0, perKind: { kept: { done: '1d', failed: 0 } } });

    it('deletes the jobs of a worker as they end, where it says so, and nothing is a warning', async () => {
      const told: string[] = [];
      const stop = store.events.on('settled', ({ job }) => void told.push(job.id));
      await store.client.enqueueMany([
        { kind: KIND, id: 'done' },
        { kind: KIND, id: 'failed' },
        { kind: 'kept', id: 'kept done' },
        { kind: 'kept', id: 'kept failed' },
      ]);
      const run = ({ id }: { id: string }) => {
        if (id.endsWith('failed')) throw new Error('no');
      };
      await store.work({ [KIND]: run, kept: run }, { retention });
      await until(() => told.length === 4);
      await store.stopWorkers();
      stop();
      expect(await left('done', 'failed', 'kept done', 'kept failed')).toEqual(['failed', 'kept done']);
      const warnings = store.logs.filter(({ level }) => level === 'warn' || level === 'error');
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/FAILED/),
        expect.stringMatching(/FAILED/),
      ]);
    });

    it('deletes the job of a transactional handler, if there are any', async () => {
      if (!store.hasManyWriters) return;
      await enqueueAll(['a']);
      const handler = { run: () => 'fine', options: { transactional: true } };
      await store.work({ [KIND]: handler }, { retention });
      await until(async () => (await left('a')).length === 0);
      await store.stopWorkers();
    });

    it('deletes the job of dequeue', async () => {
      await enqueueAll(['a']);
      const queue = store.open({ retention });
      if (!(store instanceof SqlStore)) await store.client.enqueue(KIND, null, { id: 'b' }); // it is empty again
      expect(await queue.dequeue([KIND], () => 'fine')).toBe(true);
      expect(await queue.dequeue([KIND], () => 'fine')).toBe(false);
      expect(await left('a', 'b')).toEqual([]);
    });
  });

  it('A worker deletes old jobs beside its work, in one process of the cluster at a time', async () => {
    await settled(
      DONE,
      Array.from({ length: 50 }, (_, n) => `old ${n}`),
    );
    await store.letPass(8 * DAY);
    await enqueueAll(['new']);
    const retention = resolveRetention();
    let pruned = 0;
    const stop = store.events.on('pruned', ({ count }) => void (pruned += count));
    const pace = { batch: <T>(work: () => Promise<T>) => work() }; // a pause is a multiple of the time that a batch takes
    const choreLoops = ['w-1', 'w-2', 'w-3'].map((holder) => {
      const chore = new PruneSettled(store.queue.retention, retention, pace, store.events);
      return new ChoreLoop([chore], store.queue.chores, holder, store.events, { lookEveryMs: 20 });
    });
    await store.work({ [KIND]: () => undefined }, { retention }, store.queue, choreLoops);
    expect(await store.ended('new')).toMatchObject({ status: 'DONE' });
    await until(() => pruned >= 50);
    await until(async () => (await store.queue.chores.due(['retention'])).length === 0);
    await store.stopWorkers();
    stop();
    expect(pruned).toBe(50); // none was counted by two
    expect(store.logged('log', 'Settled jobs are deleted: done after 7d')).toBe(true);
  });

  if (store instanceof SqlStore) retentionOfRows(store);
}

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);

/** Goes through the whole table, which may take several batches: PostgreSQL keeps the pages of rows that are gone. */
async function pruneWhole(
  store: Store,
  retention: Retention,
  onBatch: (pruned: Pruned) => void = () => undefined,
  until: string | null = null,
): Promise<Omit<Pruned, 'reached'>> {
  let [read, deleted, nextAt]: [number, number, number | null] = [0, 0, null];
  for (let from: string | null = null; ;) {
    const pruned = await store.queue.retention.prune(retention, { from, until });
    onBatch(pruned);
    read += pruned.read;
    deleted += pruned.deleted;
    if (pruned.nextAt !== null) nextAt = Math.min(pruned.nextAt, nextAt ?? Infinity);
    from = pruned.reached;
    if (from === null) return { read, deleted, nextAt, now: pruned.now };
  }
}

/** What only a database has: locks, and tables beside that of the jobs. */
function retentionOfRows(store: SqlStore): void {
  const settled = async (...ids: readonly string[]) => {
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
    await store.sql(`UPDATE nest_jobs SET status = 'DONE' WHERE status = 'PENDING'`);
  };
  const ids = async () =>
    (await store.sql('SELECT id FROM nest_jobs ORDER BY id')).map(({ id }) => id as string);
  const beside = async (id: string) => {
    const now = `'2026-11-26 10:00:00'`;
    await store.sql(
      `INSERT INTO nest_jobs_attempts (job_id, attempt, ended_at, outcome) VALUES (?, 1, ${now}, 'FAILED')`,
      [id],
    );
    await store.sql(
      `INSERT INTO nest_jobs_logs (job_id, attempt, line, logged_at, level, entry) VALUES (?, 1, 1, ${now}, 'log', 'x')`,
      [id],
    );
    for (const label of ['red', 'green'])
      await store.sql('INSERT INTO nest_jobs_labels (label, job_id) VALUES (?, ?)', [label, id]);
  };
  const idsBeside = async () => {
    const tables = ['attempts', 'logs', 'labels'];
    const rows = await Promise.all(
      tables.map((table) => store.sql(`SELECT DISTINCT job_id FROM nest_jobs_${table} ORDER BY job_id`)),
    );
    return rows.map((found) => found.map(({ job_id }) => job_id as string));
  };
  const retention = resolveRetention({ done: '1d', cancelled: '2d' });
  const prune = () => pruneWhole(store, retention);

  it('Retention deletes cancelled jobs by their own time', async () => {
    await settled('cancelled', 'done');
    await store.sql(`UPDATE nest_jobs SET status = 'CANCELLED' WHERE id = 'cancelled'`);
    await store.letPass(1.5 * DAY);
    expect((await prune()).deleted).toBe(1);
    expect(await ids()).toEqual(['cancelled']);
    await store.letPass(DAY);
    expect((await prune()).deleted).toBe(1);
  });

  it('Retention deletes what is stored beside a job, with the job', async () => {
    await settled('gone', 'kept');
    await store.letPass(2 * DAY);
    await store.sql(`UPDATE nest_jobs SET status = 'FAILED' WHERE id = 'kept'`);
    for (const id of ['gone', 'kept', 'of no job']) await beside(id);
    expect((await prune()).deleted).toBe(1);
    expect(await ids()).toEqual(['kept']);
    const others = ['kept', 'of no job'];
    expect(await idsBeside()).toEqual([others, others, others]);
  });

  it('Retention passes over a row of the end of time, which something else has written', async () => {
    const lastInstants = {
      postgres: ["'294276-12-31 23:59:59+00'", "'infinity'"],
      mysql: ["'9999-12-31 23:59:59.999999'"],
      'better-sqlite3': ["'9999-12-31 23:59:59.999'", "'no instant'"],
    }[store.server.type];
    for (const [index, instant] of lastInstants.entries()) {
      await settled(`late ${index}`);
      await store.sql(`UPDATE nest_jobs SET updated_at = ${instant} WHERE id = 'late ${index}'`);
    }
    await settled('gone');
    await store.sql(
      `UPDATE nest_jobs SET updated_at = ${{ postgres: "'2001-01-01 00:00:00+00'", mysql: "'2001-01-01'", 'better-sqlite3': "'2001-01-01 00:00:00.000'" }[store.server.type]} WHERE id = 'gone'`,
    );
    expect((await prune()).deleted).toBe(1);
    expect(await ids()).toEqual(lastInstants.map((_, index) => `late ${index}`));
  });

  it('A settlement that deletes a job deletes what is stored beside it', async () => {
    await store.client.enqueueMany(['gone', 'kept', 'lost'].map((id) => ({ kind: KIND, id })));
    for (const id of ['gone', 'kept', 'lost']) await beside(id);
    const jobs = await store.queue.claim([KIND], 3, LONG);
    const batch = jobs.map((job) => ({
      ...job,
      leaseToken: job.id === 'lost' ? 0 : job.leaseToken,
      outcome: DONE,
      deletes: job.id !== 'kept',
    }));
    await store.queue.settle(batch);
    expect(await ids()).toEqual(['kept', 'lost']);
    expect(await idsBeside()).toEqual([
      ['kept', 'lost'],
      ['kept', 'lost'],
      ['kept', 'lost'],
    ]);
  });

  if (!store.hasManyWriters) return;

  it('Retention passes over a row that is locked, waits for none, and comes back for it', async () => {
    await settled('a', 'b', 'c');
    await store.letPass(2 * DAY);
    await store.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT id FROM nest_jobs WHERE id = 'b' FOR UPDATE`);
      const { deleted, nextAt, now } = await prune();
      expect(deleted).toBe(2);
      expect(nextAt).toBeLessThanOrEqual(now);
    });
    expect(await ids()).toEqual(['b']);
    expect(await prune()).toMatchObject({ deleted: 1, nextAt: null });
  });

  it('Retention leaves a job alone that is run again while it looks', async () => {
    await settled('a', 'b');
    await store.letPass(2 * DAY);
    await store.dataSource.transaction(async (manager) => {
      await manager.query(`UPDATE nest_jobs SET status = 'PENDING' WHERE id = 'a'`);
      expect((await prune()).deleted).toBe(1);
    });
    expect((await prune()).deleted).toBe(0);
    expect(await ids()).toEqual(['a']);
  });
}

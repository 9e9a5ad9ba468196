import { expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import type { Job } from '../../lib/job/job.js';
import { TypeOrmJobQueue } from '../../lib/storage/typeorm/typeorm-job-queue.js';
import { until } from '../support/until.js';
import { KIND, LONG, SqlStore, type Store } from '../support/store.js';

/** Large numbers: of kinds, of bytes, and of failures at once. */
export function scaleContract(store: Store): void {
  it('11. Ten thousand kinds are served in order, and no slower than a lease allows', async () => {
    const kinds = Array.from({ length: 10_000 }, (_, n) => `kind ${n}`);
    const jobs = [7, 4_200, 9_999].map((n) => ({ kind: kinds[n]!, id: `of kind ${n}`, priority: -n }));
    await store.client.enqueueMany(jobs);
    await store.client.enqueue('nobody serves this');
    // SQLite works within this process: what other processes have of the machine meanwhile does not count.
    const isInProcess = store instanceof SqlStore && store.isSqlite;
    const times: number[] = [];
    // A claim that is slow because the machine is busy with something else is not so three times in a row.
    while (times.length < 3 && times.every((ms) => ms >= 5_000)) {
      const [since, cpu] = [performance.now(), process.cpuUsage()];
      const claimed = await store.queue.claim(kinds, 10, LONG);
      const { user, system } = process.cpuUsage(cpu);
      times.push(isInProcess ? (user + system) / 1_000 : performance.now() - since);
      expect(claimed.map(({ id }) => id)).toEqual(['of kind 9999', 'of kind 4200', 'of kind 7']);
      await store.queue.release(claimed);
    }
    expect(Math.min(...times)).toBeLessThan(5_000);
  });

  it('4. Ten thousand jobs that fail at once come back spread over time', async () => {
    const count = 10_000;
    const given = Array.from({ length: count }, () => ({ kind: KIND, maxAttempts: 2 }));
    const jobs = await store.client.enqueueMany(given);
    let calls = 0;
    const fails = () => {
      calls += 1;
      throw new Error('the service is down');
    };
    const delayMs = 600_000; // so that no job comes back while others still fail
    const options = { backoff: { type: 'exponential', delayMs } } as const;
    await store.work({ [KIND]: { run: fails, options } }, { concurrency: 100, minRetryDelayMs: delayMs });
    await until(() => calls === count, { timeoutMs: 180_000 });
    await store.stopWorkers();
    const delays: number[] = [];
    for (const { id } of jobs.slice(0, 200)) {
      const { runAt, updatedAt } = await store.job(id);
      delays.push(runAt.getTime() - updatedAt.getTime());
    }
    delays.sort((a, b) => a - b);
    expect(delays[0]).toBeGreaterThanOrEqual(delayMs);
    expect(delays[150]! - delays[50]!).toBeGreaterThan(36_000); // of two minutes, if they are spread evenly
  }, 240_000);

  if (!(store instanceof SqlStore)) return;

  it('8. A payload of 50 MB delays no heartbeat', async () => {
    const text = 'é'.repeat(25 * 1024 * 1024);
    await withLargePackets(store, async (dataSource) => {
      const queue = new TypeOrmJobQueue(dataSource, store.queueSettings());
      const { promise: finished, resolve: finish } = deferred();
      let isRunning = false;
      let length = 0;
      const long: HandlerFn = () => {
        isRunning = true;
        return finished;
      };
      const large: HandlerFn = ({ payload }: Job<string>) => void (length = payload.length);
      // The default lease. SQLite blocks this process, and a write of this size may take 13 seconds on a busy machine.
      await store.work({ long, large }, { leaseMs: store.isSqlite ? 120_000 : 30_000 }, queue);
      await store.client.enqueue('long', null, { id: 'long' });
      await until(() => isRunning);
      await expect(store.clientOf(queue).enqueue('large', text)).rejects.toThrow(/maxPayloadBytes/);
      await store.clientOf(queue, undefined, 64 * 1024 * 1024).enqueue('large', text, { id: 'large' });
      const isDone = async () =>
        (await store.sql("SELECT 1 FROM nest_jobs WHERE status = 'DONE'")).length > 0;
      await until(isDone, { what: '"the large job is DONE"' });
      expect(length).toBe(text.length);
      finish();
      expect(await store.ended('long')).toMatchObject({ status: 'DONE', attemptsDone: 1, crashes: 0 });
      await store.stopWorkers();
      expect(store.logs.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
      await queue.close();
    });
  });
}

/** Runs with a DataSource whose server accepts larger packets than MariaDB does by default. */
async function withLargePackets(
  store: SqlStore,
  work: (dataSource: DataSource) => Promise<void>,
): Promise<void> {
  const setLimit = (bytes: number) => store.sql(`SET GLOBAL max_allowed_packet = ${bytes}`);
  const [row] = !store.isMysql ? [] : await store.sql('SELECT @@GLOBAL.max_allowed_packet AS bytes');
  if (row !== undefined) await setLimit(256 * 1024 * 1024);
  const dataSource = await store.database.connect();
  try {
    await work(dataSource);
  } finally {
    await dataSource.destroy();
    if (row !== undefined) await setLimit(Number(row.bytes));
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((resolver) => (resolve = resolver));
  return { promise, resolve };
}

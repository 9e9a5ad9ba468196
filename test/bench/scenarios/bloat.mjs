import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { queryOnce } from '../servers/postgres.mjs';
import { empty } from './drain.mjs';

const BATCH = 1000;
/** About this many jobs are ready at once. */
const BACKLOG = 20_000;
const PRUNE_EVERY_MS = 10_000;
const SAMPLE_EVERY_MS = 30_000;

/** Deletes jobs that ended more than a minute ago, as an application would that no longer needs them. */
const PRUNE = `DELETE FROM nest_jobs WHERE status <> 'PENDING' AND updated_at < now() - interval '1 minute'`;
const SIZES = `
  SELECT pg_table_size('nest_jobs') AS "table", pg_relation_size('nest_jobs_pkey') AS pkey,
    pg_relation_size('nest_jobs_ready') AS ready, pg_relation_size('nest_jobs_running') AS running,
    (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'nest_jobs') AS dead,
    (SELECT autovacuum_count FROM pg_stat_user_tables WHERE relname = 'nest_jobs') AS vacuums`;

/**
 * A steady stream of jobs, with settled rows pruned and autovacuum left as it is. Sizes and rate must level off. It
 * takes minutes, so it runs only if it is named. With `--hold n`, a transaction stays open for n minutes after a
 * quarter of the time. The worker then slows down, logs why, and recovers.
 */
export const bloat = {
  name: 'bloat',
  contenders: ['ours'],
  isExtra: true,
  async run(bench, contender) {
    await empty(bench, contender);
    const producer = await bench.judge(contender);
    const worker = await bench.actor(contender, { handler: 'nothing' });
    await worker.call('work');
    const end = performance.now() + bench.sizes.bloatMs;
    let enqueued = 0;
    const produce = async () => {
      while (performance.now() < end) {
        if (enqueued - worker.runs > BACKLOG) await sleep(20);
        else {
          await producer.enqueueMany(Array.from({ length: BATCH }, (_, n) => ({ n })));
          enqueued += BATCH;
        }
      }
    };
    const prune = async () => {
      for (; performance.now() < end; await sleep(PRUNE_EVERY_MS))
        await queryOnce(bench.urls.postgresUrl, PRUNE);
    };
    await Promise.all([produce(), prune(), hold(bench), watch(bench, contender, worker, end)]);
    await worker.close();
    await producer.close();
  },
};

/** Holds a transaction open that has read something. */
async function hold(bench) {
  const { holdMs, bloatMs } = bench.sizes;
  if (holdMs === undefined) return;
  await sleep(bloatMs / 4);
  const client = new pg.Client(bench.urls.postgresUrl);
  await client.connect();
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SET application_name = 'report'; SELECT 1`);
  console.log(`a transaction is open, for ${holdMs / 60_000} minutes`);
  await sleep(holdMs);
  await client.end();
  console.log('it has ended');
}

async function watch(bench, contender, worker, end) {
  const MB = 2 ** 20;
  console.log('| s | done | jobs/s | table MB | pkey MB | ready MB | running MB | dead rows | vacuums |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  const start = performance.now();
  for (let last = { at: start, runs: 0 }; performance.now() < end;) {
    await sleep(Math.min(SAMPLE_EVERY_MS, bench.sizes.bloatMs / 4));
    const now = { at: performance.now(), runs: worker.runs };
    const rate = ((now.runs - last.runs) * 1000) / (now.at - last.at);
    last = now;
    const [sizes] = await queryOnce(bench.urls.postgresUrl, SIZES);
    const megabytes = ['table', 'pkey', 'ready', 'running'].map((part) =>
      (Number(sizes[part]) / MB).toFixed(1),
    );
    const cells = [Math.round((now.at - start) / 1000), now.runs, Math.round(rate), ...megabytes];
    console.log(`| ${[...cells, sizes.dead, sizes.vacuums].join(' | ')} |`);
    bench.records.add('bloat-rate', contender, rate);
    for (const part of ['table', 'pkey', 'ready', 'running'])
      bench.records.add(`bloat-${part}-bytes`, contender, Number(sizes[part]));
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { CONTENDERS } from '../contenders.mjs';
import { quantileOf } from '../records.mjs';
import { empty } from './drain.mjs';

/** Our worker polls once a minute, so that no poll finds a job. The others poll as they do by default. */
const SELDOM = { workerOptions: { pollIntervalMs: 60_000 } };
const WARM_UP_JOBS = 300;
const FIRST_MS = 3_000;
const LIMIT_MS = 30_000;

/** How late an idle worker starts scheduled jobs that are due at instants spread over some time. */
export const due = {
  name: 'due',
  contenders: ['ours', 'bullmq', 'graphile', 'pg-boss-idle', 'ours-mariadb', 'ours-sqlite'],
  async run(bench, contender) {
    const settings = contender.startsWith('ours') ? SELDOM : {};
    await empty(bench, contender);
    const worker = await bench.actor(contender, { handler: 'late', settings });
    await worker.call('work');
    await worker.call('enqueue', { callers: 1, jobs: WARM_UP_JOBS });
    await sleep(5_000); // until it listens and is idle, also where it polls every two seconds
    await measure(bench, 'due-within', contender, worker, worker);
    if (CONTENDERS[contender].pushes) {
      const producer = await bench.actor(contender, { settings });
      await measure(bench, 'due-across', contender, producer, worker);
      await producer.close();
    }
    await worker.close();
  },
};

async function measure(bench, metric, contender, producer, worker) {
  const { jobs, spreadMs } = bench.sizes.due;
  await worker.call('forget');
  await producer.call('enqueueDue', { jobs, firstMs: FIRST_MS, spreadMs });
  const end = performance.now() + FIRST_MS + spreadMs + LIMIT_MS;
  let latencies = [];
  while (latencies.length < jobs && performance.now() < end) {
    await sleep(500);
    latencies = await worker.call('latencies');
  }
  if (latencies.length !== jobs) throw new Error(`${latencies.length} of ${jobs} jobs have started.`);
  bench.records.add(`${metric}-p50`, contender, quantileOf(latencies, 0.5));
  bench.records.add(`${metric}-p99`, contender, quantileOf(latencies, 0.99));
}

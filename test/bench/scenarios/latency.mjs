import { setTimeout as sleep } from 'node:timers/promises';
import { quantileOf } from '../records.mjs';
import { warmUp } from '../warm-up.mjs';
import { empty } from './drain.mjs';

const GAP_MS = 15;
const LIMIT_MS = 60_000;
const PEERS = ['floor-listening', 'ours', 'bullmq', 'graphile', 'ours-mariadb'];

/** The time from an enqueue in one process to the start of the handler in another. */
export const latencyAcross = {
  name: 'latency-across',
  contenders: PEERS.filter((name) => name !== 'ours-mariadb'), // there, other processes find new jobs by polling
  async run(bench, contender) {
    await empty(bench, contender);
    const worker = await bench.actor(contender, { handler: 'latency' });
    const producer = await bench.actor(contender);
    await measure(bench, 'latency-across', contender, producer, worker);
    await producer.close();
    await worker.close();
  },
};

/** The same within one process. */
export const latencyWithin = {
  name: 'latency-within',
  contenders: PEERS,
  async run(bench, contender) {
    await empty(bench, contender);
    const process = await bench.actor(contender, { handler: 'latency' });
    await measure(bench, 'latency-within', contender, process, process);
    await process.close();
  },
};

async function measure(bench, metric, contender, producer, worker) {
  const jobs = bench.sizes.latency;
  await worker.call('work');
  await warmUp((some) => producer.call('enqueue', { callers: 1, jobs: some }), bench.sizes.warmUpMs);
  await untilNoneIsLeft(bench, contender);
  await worker.call('rest');
  await bench.settleDown(contender); // also replaces query plans that were made for an empty table
  await worker.call('work');
  await sleep(800); // until it listens
  await producer.call('enqueueSpaced', { jobs, gapMs: GAP_MS });
  await sleep(500);
  const latencies = await worker.call('latencies');
  if (latencies.length !== jobs) throw new Error(`${latencies.length} of ${jobs} jobs have started.`);
  bench.records.add(`${metric}-p50`, contender, quantileOf(latencies, 0.5));
  bench.records.add(`${metric}-p99`, contender, quantileOf(latencies, 0.99));
}

async function untilNoneIsLeft(bench, contender) {
  const judge = await bench.judge(contender);
  try {
    const end = performance.now() + LIMIT_MS;
    while ((await judge.left()) > 0) {
      if (performance.now() > end) throw new Error(`${await judge.left()} jobs are left after warming up.`);
      await sleep(50);
    }
  } finally {
    await judge.close();
  }
}

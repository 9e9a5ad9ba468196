import { drain } from '../drain.mjs';

/** One process works off a backlog with a handler that does nothing. */
export const drainByOne = {
  name: 'drain',
  contenders: [
    ...['floor', 'ours', 'bullmq', 'bullmq-tuned', 'graphile', 'graphile-tuned', 'pg-boss', 'floor-rows'],
    ...['floor-mariadb', 'ours-mariadb'],
  ],
  async run(bench, contender) {
    await empty(bench, contender);
    const { rate, storeCpuMs, workerCpuMs } = await drain(bench, contender, { jobs: bench.sizes.backlog });
    bench.records.add('drain', contender, rate);
    bench.records.add('worker-cpu', contender, workerCpuMs);
    if (storeCpuMs !== null) bench.records.add('store-cpu', contender, storeCpuMs);
  },
};

/** The same with two processes. */
export const drainByTwo = {
  name: 'drain-2',
  contenders: ['ours', 'ours-mariadb'],
  async run(bench, contender) {
    await empty(bench, contender);
    const { rate } = await drain(bench, contender, { jobs: bench.sizes.backlog, processes: 2 });
    bench.records.add('drain-2', contender, rate);
  },
};

export async function empty(bench, contender, settings) {
  const judge = await bench.judge(contender, settings);
  await judge.reset();
  await judge.close();
}

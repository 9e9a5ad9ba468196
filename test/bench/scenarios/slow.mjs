import { drain } from '../drain.mjs';
import { empty } from './drain.mjs';

const SLOW = { handlerMs: 50, concurrency: 100 };
const DEFAULT_CONCURRENCY = 10;

/** The share of the possible rate that handlers of 50 ms reach at concurrency 100. */
export const slowHandler = {
  name: 'slow-handler',
  contenders: ['ours'],
  async run(bench, contender) {
    await empty(bench, contender);
    const settings = { workerOptions: { concurrency: SLOW.concurrency } };
    const jobs = bench.sizes.slow;
    const options = { jobs, warmUp: 200, settings, handler: 'wait', handlerMs: SLOW.handlerMs };
    const { rate } = await drain(bench, contender, options);
    bench.records.add('slow-handler', contender, rate / ((SLOW.concurrency * 1000) / SLOW.handlerMs));
  },
};

/** Two workers with default options share long jobs. Neither may hold back jobs that the other could run. */
export const fairShare = {
  name: 'fair-share',
  contenders: ['ours'],
  async run(bench, contender) {
    await empty(bench, contender);
    const { jobs, handlerMs } = bench.sizes.fairShare;
    const { rate } = await drain(bench, contender, {
      jobs,
      processes: 2,
      warmUp: 0,
      handler: 'wait',
      handlerMs,
    });
    const idealMs = (jobs / (2 * DEFAULT_CONCURRENCY)) * handlerMs;
    bench.records.add('fair-share', contender, (jobs * 1000) / rate / idealMs);
  },
};

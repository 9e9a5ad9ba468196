import { drainInPairs } from '../drain.mjs';
import { query, storeOf } from '../query.mjs';
import { empty } from './drain.mjs';

/** Jobs of another kind that are due in a month. */
const WAITING = {
  postgres: (rows) => `
    INSERT INTO nest_jobs (id, kind, status, due, payload, run_at)
    SELECT lpad(n::text, 8, '0') || gen_random_uuid(), 'bench.other', 'PENDING', false, '{"n":1}',
      now() + interval '30 days'
    FROM generate_series(1, ${rows}) AS n`,
  mariadb: (rows) => `
    INSERT INTO nest_jobs (id, kind, status, due, payload, run_at, created_at, updated_at)
    SELECT CONCAT(LPAD(seq, 8, '0'), UUID()), 'bench.other', 'PENDING', 0, '{"n":1}',
      UTC_TIMESTAMP(6) + INTERVAL 30 DAY, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)
    FROM seq_1_to_${rows}`,
};
const CALLS = ['cancelMany', 'retryMany', 'deleteMany'];

/** A drain beside what another process does with a million other jobs, and beside an overview that somebody looks at. */
export const beside = {
  name: 'beside',
  contenders: ['ours', 'ours-mariadb'],
  isExtra: true,
  async run(bench, contender) {
    const { rows, jobs, pairs } = bench.sizes.prune;
    await empty(bench, contender);
    await query(bench, contender, WAITING[storeOf(contender)](rows));
    await bench.settleDown(contender);
    const judge = await bench.judge(contender);
    const worker = await bench.actor(contender, { handler: 'nothing' });
    const other = await bench.actor(contender, { settings: { hasDashboard: true } });
    const filter = { kinds: ['bench.other'] };
    const measured = async (metric, settings) => {
      const ratios = await drainInPairs({ judge, worker, jobs, pairs, ...settings });
      for (const ratio of ratios) bench.records.add(metric, contender, ratio);
      console.log(`${contender}, ${metric}: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`);
    };
    await measured('beside-bulk', {
      begin: (pair) => other.call('changeMany', { call: CALLS[pair % CALLS.length], filter }),
      end: () => other.call('restFromChanging'),
    });
    await measured('beside-overview', {
      begin: () => other.call('watchOverview'),
      end: async () => {
        if ((await other.call('restFromWatching')) === 0) throw new Error('The overview was told nothing.');
      },
    });
    await Promise.all([worker, other, judge].map((one) => one.close()));
  },
};

/** Jobs of a thousand steps, in turn with progress and a line of the log at each step and without. */
export const notes = {
  name: 'notes',
  contenders: ['ours', 'ours-mariadb', 'ours-sqlite'],
  isExtra: true,
  async run(bench, contender) {
    const { jobs, pairs } = bench.sizes.notes;
    await empty(bench, contender);
    const judge = await bench.judge(contender);
    const worker = await bench.actor(contender, { handler: 'steps' });
    const fill = (_judge, count, isBeside) =>
      judge.enqueueMany(Array.from({ length: count }, (_, n) => ({ n, notes: isBeside })));
    const ratios = await drainInPairs({ judge, worker, jobs, pairs, fill });
    for (const ratio of ratios) bench.records.add('notes', contender, ratio);
    console.log(`${contender}, notes: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`);
    await worker.close();
    await judge.close();
  },
};

import { drainInPairs, fill, workOff } from '../drain.mjs';
import { query, storeOf } from '../query.mjs';
import { empty } from './drain.mjs';

/** Old jobs, settled eight days ago. */
const OLD = {
  postgres: (rows) => `
    INSERT INTO nest_jobs (id, kind, status, payload, result, attempts_done, run_at, updated_at)
    SELECT lpad(n::text, 8, '0') || gen_random_uuid(), 'bench.old', 'DONE', '{"n":1}', '{"ok":true}', 1, now(),
      now() - interval '8 days'
    FROM generate_series(1, ${rows}) AS n`,
  mariadb: (rows) => `
    INSERT INTO nest_jobs (id, kind, status, payload, result, attempts_done, run_at, created_at, updated_at)
    SELECT CONCAT(LPAD(seq, 8, '0'), UUID()), 'bench.old', 'DONE', '{"n":1}', '{"ok":true}', 1, UTC_TIMESTAMP(6),
      UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) - INTERVAL 8 DAY
    FROM seq_1_to_${rows}`,
};

/**
 * A worker drains backlogs, in turn with old jobs being deleted by its process and without. At the end, the rest of the
 * old jobs is deleted with nothing else to do.
 */
export const prune = {
  name: 'prune',
  contenders: ['ours', 'ours-mariadb'],
  async run(bench, contender) {
    const { rows, jobs, pairs } = bench.sizes.prune;
    await empty(bench, contender);
    await query(bench, contender, OLD[storeOf(contender)](rows));
    await bench.settleDown(contender);
    const judge = await bench.judge(contender);
    const worker = await bench.actor(contender, { handler: 'nothing' });
    let deleted = 0;
    const ratios = await drainInPairs({
      ...{ judge, worker, jobs, pairs },
      begin: () => worker.call('prune'),
      end: async () => {
        deleted += await worker.call('restFromPruning');
      },
    });
    for (const ratio of ratios) bench.records.add('prune-drain', contender, ratio);
    await worker.call('prune');
    const { left, ms } = await worker.call('pruned');
    bench.records.add('prune-rate', contender, (left * 1000) / ms);
    console.log(
      `${contender}: ${deleted} deleted while draining, ${left} more in ${Math.round(ms / 1000)} s; ` +
        `drain ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`,
    );
    await worker.close();
    await judge.close();
  },
};

/** Backlogs that are filled, drained and deleted again and again. The table and its indexes must not grow. */
export const cycles = {
  name: 'cycles',
  contenders: ['ours', 'ours-mariadb'],
  async run(bench, contender) {
    const { jobs, count } = bench.sizes.cycles;
    await empty(bench, contender);
    const settings = { retention: { done: 1 } };
    const judge = await bench.judge(contender, settings);
    const worker = await bench.actor(contender, { handler: 'nothing', settings });
    const sizes = [];
    for (let cycle = 0; cycle < count; cycle++) {
      await fill(judge, jobs);
      await workOff(judge, [worker], jobs);
      await worker.call('rest');
      await worker.call('prune');
      await worker.call('pruned');
      sizes.push(await sizeAfterVacuum(bench, contender));
    }
    console.log(
      `${contender}: MB after each cycle ${sizes.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ')}`,
    );
    bench.records.add('cycles-growth', contender, sizes.at(-1) / sizes[1]);
    await worker.close();
    await judge.close();
  },
};

/** What autovacuum does within a minute, and InnoDB by itself. @returns the bytes of the table and its indexes */
async function sizeAfterVacuum(bench, contender) {
  if (storeOf(contender) === 'postgres') {
    await query(bench, contender, 'VACUUM nest_jobs');
    const [{ bytes }] = await query(bench, contender, `SELECT pg_total_relation_size('nest_jobs') AS bytes`);
    return Number(bytes);
  }
  const [{ bytes }] = await query(
    bench,
    contender,
    `SELECT file_size AS bytes FROM information_schema.innodb_sys_tablespaces WHERE name = CONCAT(DATABASE(), '/nest_jobs')`,
  );
  return Number(bytes);
}

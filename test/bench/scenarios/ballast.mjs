import { drain } from '../drain.mjs';
import { queryOnce } from '../servers/postgres.mjs';
import { empty } from './drain.mjs';

/*
 * A drain beside rows that it must not touch: settled rows, rows scheduled for later, and ready rows of a kind that no
 * worker serves. Each table is filled once and used in every round.
 */
const ROWS = {
  none: null,
  done: `kind, status, result, attempts_done) SELECT 'bench.old', 'DONE', '{"ok":true}', 1`,
  scheduled: `kind, due, run_at) SELECT 'bench', false, now() + interval '30 days' + n * interval '1 millisecond'`,
  others: `kind, run_at) SELECT 'bench.unserved', now() - interval '30 days' + n * interval '1 millisecond'`,
};
const filled = new Set();

export const ballast = {
  name: 'ballast',
  contenders: ['ours'],
  async run(bench, contender) {
    for (const kind of Object.keys(ROWS)) {
      const settings = { postgresUrl: await database(bench, contender, kind) };
      const { rate, storeCpuMs } = await drain(bench, contender, { jobs: bench.sizes.backlog, settings });
      bench.records.add(`ballast-${kind}`, contender, rate);
      if (storeCpuMs !== null) bench.records.add(`ballast-${kind}-store-cpu`, contender, storeCpuMs);
      await queryOnce(settings.postgresUrl, `DELETE FROM nest_jobs WHERE kind = 'bench' AND status = 'DONE'`);
    }
  },
};

async function database(bench, contender, kind) {
  const url = new URL(bench.urls.postgresUrl);
  const name = `${url.pathname.slice(1)}_${kind}`;
  url.pathname = `/${name}`;
  if (filled.has(kind)) return url.href;
  await queryOnce(bench.urls.postgresUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await queryOnce(bench.urls.postgresUrl, `CREATE DATABASE ${name}`);
  await empty(bench, contender, { postgresUrl: url.href });
  if (ROWS[kind] !== null) {
    const payload = `, gen_random_uuid(), '{"n":1}' FROM generate_series(1, ${bench.sizes.ballast}) AS n`;
    const [columns, values] = ROWS[kind].split(') SELECT ');
    await queryOnce(url.href, `INSERT INTO nest_jobs (${columns}, id, payload) SELECT ${values}${payload}`);
    await queryOnce(url.href, 'VACUUM (ANALYZE) nest_jobs');
  }
  filled.add(kind);
  return url.href;
}

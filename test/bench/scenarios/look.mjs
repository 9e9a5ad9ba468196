import { createRequire } from 'node:module';
import { quantileOf } from '../records.mjs';
import { queryMariadb } from '../servers/mariadb.mjs';
import { queryOnce } from '../servers/postgres.mjs';
import { empty } from './drain.mjs';

/*
 * What people and screens ask of a large table. Most of its jobs are done, one in a hundred has failed, one in a hundred is
 * scheduled, and one in a hundred is ready; twenty kinds share them. BENCH_LOOK_ROWS says how many there are.
 */
const KINDS = 20;
const TAGGED = 5_000;
const TURNS = 15;
const TAG = 'bench tag';

/** Columns and values of the `n`th row. What a database says in its own words is given by it. */
const rowsOf = ({ kind, id, now, ago, ahead, boolean }) => {
  const shared = (status, extra) => `${id}, ${kind}, '${status}', ${extra}`;
  const columns = 'id, kind, status, due, run_at, created_at, updated_at, payload, attempts_done, last_error';
  const payload = `'{"n":1,"to":"somebody@example.com","lines":["a","b","c"]}'`;
  const old = `${ago}, ${ago}, ${ago}`;
  return {
    columns,
    parts: [
      ['n % 100 < 97', shared('DONE', `${boolean(true)}, ${old}, ${payload}, 1, NULL`)],
      [
        'n % 100 = 97',
        shared('FAILED', `${boolean(true)}, ${old}, ${payload}, 3, 'Error: timed out at host 7'`),
      ],
      ['n % 100 = 98', shared('PENDING', `${boolean(false)}, ${ahead}, ${now}, ${now}, ${payload}, 0, NULL`)],
      ['n % 100 = 99', shared('PENDING', `${boolean(true)}, ${now}, ${now}, ${now}, ${payload}, 0, NULL`)],
    ],
  };
};

const STORES = {
  ours: {
    series: (rows) => `generate_series(1, ${rows}) AS n`,
    words: {
      id: `'look-' || lpad(n::text, 9, '0')`,
      kind: `'bench.k' || n % ${KINDS}`,
      now: 'now()',
      ago: `now() - (n % 400000) * interval '1 second'`,
      ahead: `now() + n * interval '1 second'`,
      boolean: String,
    },
    after: ['VACUUM (ANALYZE)'],
    query: ({ postgresUrl }, text) => queryOnce(postgresUrl, text),
  },
  'ours-mariadb': {
    series: (rows) => `(SELECT seq AS n FROM seq_1_to_${rows}) AS series`,
    words: {
      id: `CONCAT('look-', LPAD(n, 9, '0'))`,
      kind: `CONCAT('bench.k', n % ${KINDS})`,
      now: 'UTC_TIMESTAMP(6)',
      ago: 'UTC_TIMESTAMP(6) - INTERVAL n % 400000 SECOND',
      ahead: 'UTC_TIMESTAMP(6) + INTERVAL n SECOND',
      boolean: Number,
    },
    after: ['ANALYZE TABLE nest_jobs'],
    query: ({ mariadbUrl }, text) => queryMariadb(mariadbUrl, text),
  },
  'ours-sqlite': {
    series: (rows) =>
      `(WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < ${rows}) SELECT n FROM series)`,
    words: {
      id: `'look-' || printf('%09d', n)`,
      kind: `'bench.k' || (n % ${KINDS})`,
      now: `strftime('%Y-%m-%d %H:%M:%f', 'now')`,
      ago: `strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || (n % 400000) || ' seconds')`,
      ahead: `strftime('%Y-%m-%d %H:%M:%f', 'now', '+' || n || ' seconds')`,
      boolean: Number,
    },
    after: ['ANALYZE'],
    query: ({ sqliteFile }, text) => querySqlite(sqliteFile, text),
  },
};

/** Each call, by the name under which its time is told. */
const CALLS = {
  'get one': ({ jobs, ids }) => jobs.get(ids.done),
  'explain a ready job': ({ jobs, ids }) => jobs.explain(ids.ready),
  'attempts of one': ({ jobs, ids }) => jobs.attempts(ids.failed),
  'list of kinds': ({ kinds }) => kinds.list(),
  'stats of a kind': ({ kinds }) => kinds.stats('bench.k3'),
  'find, newest': ({ jobs }) => jobs.find({}),
  'find by kind': ({ jobs }) => jobs.find({ kinds: ['bench.k3'] }),
  'find failed': ({ jobs }) => jobs.find({ states: ['failed'] }),
  'find failed of a kind': ({ jobs }) => jobs.find({ states: ['failed'], kinds: ['bench.k17'] }),
  'find ready': ({ jobs }) => jobs.find({ states: ['ready'] }),
  'find scheduled': ({ jobs }) => jobs.find({ states: ['scheduled'] }),
  'find running, of which there are none': ({ jobs }) => jobs.find({ states: ['running'] }),
  'find by tag': ({ jobs }) => jobs.find({ tags: [TAG] }),
  'find by ids': ({ jobs, ids }) => jobs.find({ ids: Object.values(ids) }),
  'find by error': ({ jobs }) => jobs.find({ error: 'host 7' }),
  'find by an error that none has': ({ jobs }) => jobs.find({ error: 'no such text' }),
  'find by a value that none has': ({ jobs }) => jobs.find({ payload: { n: 2 } }),
  'count all, to 10,000': ({ jobs }) => jobs.count({}),
  'count failed, to 10,000': ({ jobs }) => jobs.count({ states: ['failed'] }),
  'count done of a kind, to 10,000': ({ jobs }) => jobs.count({ states: ['done'], kinds: ['bench.k3'] }),
  'count ready, to 10,000': ({ jobs }) => jobs.count({ states: ['ready'] }),
};

/** How long each call takes, in milliseconds. */
export const look = {
  name: 'look',
  contenders: Object.keys(STORES),
  isExtra: true,
  async run(bench, contender) {
    const rows = Number(process.env.BENCH_LOOK_ROWS ?? bench.sizes.look);
    await empty(bench, contender);
    const judge = await bench.judge(contender);
    await fill(bench, contender, judge, rows);
    const asked = await askedOf(judge, rows);
    console.log(`${contender}, ${rows} rows`);
    for (const [name, call] of Object.entries(CALLS)) {
      const times = [];
      for (let turn = 0; turn < TURNS; turn++) {
        const begun = performance.now();
        await call(asked);
        times.push(performance.now() - begun);
      }
      const [median, last] = [quantileOf(times, 0.5), Math.max(...times)];
      bench.records.add(`look ${name}`, contender, median);
      console.log(`  ${name.padEnd(40)} ${median.toFixed(1).padStart(8)} ms, at most ${last.toFixed(1)}`);
    }
    await judge.close();
  },
};

async function askedOf(judge, rows) {
  const { JobKinds } = judge.library;
  const idOf = (rest) => `look-${String(Math.floor(rows / 200) * 100 + rest).padStart(9, '0')}`;
  const ids = { done: idOf(5), failed: idOf(97), ready: idOf(99) };
  return { jobs: judge.jobs, kinds: judge.app.get(JobKinds), ids };
}

async function fill(bench, contender, judge, rows) {
  const { series, words, after, query } = STORES[contender];
  const { columns, parts } = rowsOf(words);
  for (const [condition, values] of parts)
    await query(
      bench.urls,
      `INSERT INTO nest_jobs (${columns}) SELECT ${values} FROM ${series(rows)} WHERE ${condition}`,
    );
  for (let from = 0; from < TAGGED; from += 500)
    await judge.jobs.enqueueMany(
      Array.from({ length: 500 }, () => ({ kind: 'bench', payload: {}, delayMs: 3_600_000, tags: [TAG] })),
    );
  await countMinutes(judge);
  for (const statement of after) await query(bench.urls, statement);
}

/** What ten workers have counted in an hour, and in a day. */
async function countMinutes(judge) {
  const { kinds } = judge.app.get(judge.library.JobQueue);
  const counts = JSON.stringify({ claimed: 50, done: 48, failed: 2, wait: { 20: 50 }, run: { 30: 50 } });
  const now = Date.now();
  const stored = (kind, span, back) => {
    const minute = Math.floor(now / (span * 60_000) - back) * span * 60_000;
    return { kind: `bench.k${kind}`, span, minute, counts };
  };
  const all = Array.from({ length: KINDS }, (_, kind) => [
    ...Array.from({ length: 59 }, (__, back) => stored(kind, 1, back)),
    ...Array.from({ length: 23 }, (__, back) => stored(kind, 60, back)),
  ]).flat();
  const about = JSON.stringify({ kinds: Array.from({ length: KINDS }, (_, kind) => `bench.k${kind}`) });
  for (let worker = 0; worker < 10; worker++)
    await kinds.beat({ workerId: `bench-${worker}`, controlsSeen: 0, about, counts: all });
}

function querySqlite(file, text) {
  const Database = createRequire(import.meta.url)('better-sqlite3');
  const database = new Database(file);
  try {
    database.exec(text);
  } finally {
    database.close();
  }
}

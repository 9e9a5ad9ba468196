import { query } from './query.mjs';
import { empty } from './scenarios/drain.mjs';

/*
 * A large table. Most of its jobs are done, one in a hundred has failed, one in a hundred is scheduled, and one in a hundred
 * is ready; twenty kinds share them.
 */
const KINDS = 20;
const TAGGED = 5_000;
/** The tag of some jobs that are scheduled. */
export const TAG = 'bench tag';

/** Where the jobs that failed have thrown. */
const FRAMES = [
  'connect',
  'Mailer.open',
  'Mailer.send',
  'Mails.invoice',
  'Attempt.handle',
  'Attempt.call',
].map((name, n) => `    at ${name} (file:///srv/shop/dist/mail/${name.toLowerCase()}.js:${10 + n}:7)`);

/** Columns and values of the `n`th row. What a database says in its own words is given by it. */
const rowsOf = ({ kind, id, now, ago, ahead, boolean }) => {
  const shared = (status, extra) => `${id}, ${kind}, '${status}', ${extra}`;
  const columns = 'id, kind, status, due, run_at, created_at, updated_at, payload, attempts_done, last_error';
  const payload = `'{"n":1,"to":"somebody@example.com","lines":["a","b","c"]}'`;
  const old = `${ago}, ${ago}, ${ago}`;
  const error = ['Error: timed out at host 7', ...FRAMES].join('\n');
  return {
    columns,
    parts: [
      ['n % 100 < 97', shared('DONE', `${boolean(true)}, ${old}, ${payload}, 1, NULL`)],
      ['n % 100 = 97', shared('FAILED', `${boolean(true)}, ${old}, ${payload}, 3, '${error}'`)],
      ['n % 100 = 98', shared('PENDING', `${boolean(false)}, ${ahead}, ${now}, ${now}, ${payload}, 0, NULL`)],
      ['n % 100 = 99', shared('PENDING', `${boolean(true)}, ${now}, ${now}, ${now}, ${payload}, 0, NULL`)],
    ],
  };
};

/** The contenders that can have a large table. */
export const LARGE_TABLE_CONTENDERS = ['ours', 'ours-mariadb', 'ours-sqlite'];

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
  },
};

/** @returns how many rows it is to have: as BENCH_LOOK_ROWS says */
export function rowsOfLargeTable(bench) {
  return Number(process.env.BENCH_LOOK_ROWS ?? bench.sizes.look);
}

/**
 * Fills the empty table of a contender.
 * @returns the judge that filled it, and the ids of a job that is done, one that has failed and one that is ready
 */
export async function fillLargeTable(bench, contender, rows, settings) {
  await empty(bench, contender);
  const judge = await bench.judge(contender, settings);
  const { series, words, after } = STORES[contender];
  const { columns, parts } = rowsOf(words);
  for (const [condition, values] of parts)
    await query(
      bench,
      contender,
      `INSERT INTO nest_jobs (${columns}) SELECT ${values} FROM ${series(rows)} WHERE ${condition}`,
    );
  for (let from = 0; from < TAGGED; from += 500)
    await judge.jobs.enqueueMany(
      Array.from({ length: 500 }, () => ({ kind: 'bench', payload: {}, delayMs: 3_600_000, tags: [TAG] })),
    );
  await countMinutes(judge);
  for (const statement of after) await query(bench, contender, statement);
  const idOf = (rest) => `look-${String(Math.floor(rows / 200) * 100 + rest).padStart(9, '0')}`;
  return { judge, ids: { done: idOf(5), failed: idOf(97), ready: idOf(99) } };
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

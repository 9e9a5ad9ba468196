/*
 * What this package must reach. Most targets are ratios within a run, because absolute figures depend on the machine.
 * `--check` fails if a target is missed.
 */
const OURS = 'ours';

/** `value` returns null if its metric was not measured. */
export const TARGETS = [
  atLeast(0.6, 'drain, default options, against the floor', (r) =>
    r.ratio(['drain', OURS], ['drain', 'floor']),
  ),
  atLeast(1, 'drain, default options, against graphile-worker tuned', (r) =>
    r.ratio(['drain', OURS], ['drain', 'graphile-tuned']),
  ),
  atLeast(3, 'drain, default options, against BullMQ tuned', (r) =>
    r.ratio(['drain', OURS], ['drain', 'bullmq-tuned']),
  ),
  atLeast(0.9, 'drain by two processes against one', (r) => r.ratio(['drain-2', OURS], ['drain', OURS])),
  atLeast(0.8, 'enqueue one by one against the floor', (r) =>
    r.ratio(['enqueue-1', OURS], ['enqueue-1', 'floor']),
  ),
  atLeast(2.5, 'enqueue by 16 callers against the floor row by row', (r) =>
    r.ratio(['enqueue-16', OURS], ['enqueue-16', 'floor']),
  ),
  atLeast(1, 'enqueue by 16 callers against BullMQ', (r) =>
    r.ratio(['enqueue-16', OURS], ['enqueue-16', 'bullmq']),
  ),
  atLeast(0.75, 'bulk against the floor', (r) => r.ratio(['bulk', OURS], ['bulk', 'floor'])),
  ...['bullmq', 'graphile', 'pg-boss'].map((peer) =>
    atLeast(1, `bulk against ${peer}`, (r) => r.ratio(['bulk', OURS], ['bulk', peer])),
  ),
  atLeast(0.8, "enqueue in the caller's transaction against the floor", (r) =>
    r.ratio(['transaction', OURS], ['transaction', 'floor']),
  ),
  // If the floor takes 1.2 ms (p50) and 2.0 ms (p99), these are 1.5 and 4 ms across processes and 1.2 ms within one.
  atMost(1.25, 'enqueue to start, across processes, p50 against the floor', (r) =>
    r.ratio(['latency-across-p50', OURS], ['latency-across-p50', 'floor-listening']),
  ),
  atMost(2, 'enqueue to start, across processes, p99 against the floor', (r) =>
    r.ratio(['latency-across-p99', OURS], ['latency-across-p99', 'floor-listening']),
  ),
  atMost(1, 'enqueue to start, within a process, p50 against the floor', (r) =>
    r.ratio(['latency-within-p50', OURS], ['latency-within-p50', 'floor-listening']),
  ),
  ...[
    ['PostgreSQL, from another process', 'due-across', OURS],
    ['PostgreSQL', 'due-within', OURS],
    ['MariaDB', 'due-within', 'ours-mariadb'],
    ['SQLite', 'due-within', 'ours-sqlite'],
  ].flatMap(([store, metric, contender]) => [
    atMost(50, `ms from due to start, ${store}, p50`, (r) => r.median(`${metric}-p50`, contender)),
    atMost(150, `ms from due to start, ${store}, p99`, (r) => r.median(`${metric}-p99`, contender)),
  ]),
  ...['done', 'scheduled', 'others'].map((rows) =>
    atLeast(0.9, `drain beside rows: ${rows}`, (r) =>
      r.ratio([`ballast-${rows}`, OURS], ['ballast-none', OURS]),
    ),
  ),
  atMost(300, 'store CPU ms for 10,000 jobs', (r) => r.median('store-cpu', OURS)),
  atMost(350, 'worker CPU ms for 10,000 jobs', (r) => r.median('worker-cpu', OURS)),
  atMost(1, 'statements a second of an idle worker', (r) => r.median('idle', OURS)),
  atLeast(0.5, 'MariaDB drain against its floor', (r) =>
    r.ratio(['drain', 'ours-mariadb'], ['drain', 'floor-mariadb']),
  ),
  atLeast(0.5, 'MariaDB bulk against its floor', (r) =>
    r.ratio(['bulk', 'ours-mariadb'], ['bulk', 'floor-mariadb']),
  ),
  ...['ours', 'ours-mariadb'].flatMap((contender) => [
    atLeast(0.95, `drain while old jobs are deleted, against without: ${contender}`, (r) =>
      r.median('prune-drain', contender),
    ),
    atMost(1.1, `size of the table after ten backlogs, against two: ${contender}`, (r) =>
      r.median('cycles-growth', contender),
    ),
  ]),
  atLeast(0.95, 'handlers of 50 ms at concurrency 100, of what is possible', (r) =>
    r.median('slow-handler', OURS),
  ),
  atMost(1.2, 'two workers and jobs of a second, against the ideal time', (r) =>
    r.median('fair-share', OURS),
  ),
];

function atLeast(limit, name, value) {
  return { name, limit, value, sign: '≥', isMet: (reached) => reached >= limit };
}

function atMost(limit, name, value) {
  return { name, limit, value, sign: '≤', isMet: (reached) => reached <= limit };
}

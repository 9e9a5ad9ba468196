import {
  BACKLOG_COUNTED,
  COUNTS_READ,
  DAY_MS,
  DUE_COUNTED,
  DUE_KINDS_LISTED,
  MINUTES_COUNTED,
  REGISTER_SWEPT,
} from '../../queue/kind-counts.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeBacklog, decodeCounts, decodeDueKind, type CountsDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { sweepAll, sweptRows } from '../sql/sweeps.js';
import { millisOf } from './columns.js';

export function counts(jobs: JobsTable): CountsDialect {
  const minutes = sideTable(jobs, 'minutes').quoted;
  const statements = {
    counts: selectCounts(minutes),
    backlog: backlog(jobs.quoted),
    dueKinds: dueKinds(jobs.quoted),
    sweep: sweptRows(ago).map(([suffix, isOld]) => sweep(sideTable(jobs, suffix).quoted, isOld)),
  };
  return {
    counts: async (sql, kind) => decodeCounts(await sql.query(statements.counts, [kind, kind, kind, kind])),
    backlog: async (sql, kinds) =>
      (await sql.query(statements.backlog, [JSON.stringify(kinds)])).map(decodeBacklog),
    dueKinds: async (sql) => (await sql.query(statements.dueKinds)).map(decodeDueKind),
    sweep: (sql) => sweepAll(sql, statements.sweep, (rows) => rows.length),
  };
}

const ago = (ms: number) => `strftime('%Y-%m-%d %H:%M:%f', 'now', '-${ms / 1000} seconds')`;

export const selectCounts = (table: string) => `
  SELECT counted.*, unixepoch('now', 'subsec') * 1000 AS now
  FROM (SELECT 1) AS one LEFT JOIN (
    SELECT * FROM (
      SELECT kind, span, ${millisOf('minute')} AS minute, counts, NULL AS failed
      FROM ${table}
      WHERE span = 1 AND minute > ${ago((MINUTES_COUNTED + 1) * 60_000)} AND (? IS NULL OR kind = ?)
      LIMIT ${COUNTS_READ})
    UNION ALL
    SELECT kind, NULL, NULL, NULL, sum(failed + panicked)
    FROM ${table}
    WHERE span = 60 AND minute > ${ago(DAY_MS)} AND (? IS NULL OR kind = ?)
    GROUP BY kind
  ) AS counted ON true`;

/* Each part of it ends at its limit: of the index of ready jobs for each kind, and of that of scheduled jobs. */
export const backlog = (jobs: string) => {
  const ready = (what: string) => `(
    SELECT ${what} FROM (
      SELECT run_at FROM ${jobs}
      WHERE kind = wanted.value AND status = 'PENDING' AND locked_by IS NULL AND due = 1
      ORDER BY priority, run_at, id LIMIT ${BACKLOG_COUNTED}))`;
  return `
  SELECT wanted.value AS kind, ${ready('count(*)')} AS ready, scheduled.count AS scheduled,
    (unixepoch('now', 'subsec') - unixepoch(${ready('min(run_at)')}, 'subsec')) * 1000 AS oldest_ready_ms
  FROM json_each(?) AS wanted LEFT JOIN (
    SELECT kind, count(*) AS count FROM (
      SELECT kind FROM ${jobs} WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0
      ORDER BY run_at LIMIT ${BACKLOG_COUNTED}
    ) GROUP BY kind
  ) AS scheduled ON scheduled.kind = wanted.value`;
};

/*
 * The first part jumps along the index of ready jobs from one kind to the next. The second one reads the first scheduled
 * jobs that should have been marked due: a worker marks those that it meets, so where none is they stay as they are.
 */
export const dueKinds = (jobs: string) => `
  WITH RECURSIVE ready(kind) AS (
    SELECT min(kind) FROM ${jobs} WHERE status = 'PENDING' AND locked_by IS NULL AND due = 1
    UNION ALL
    SELECT (
      SELECT job.kind FROM ${jobs} AS job
      WHERE job.status = 'PENDING' AND job.locked_by IS NULL AND job.due = 1 AND job.kind > ready.kind
      ORDER BY job.kind LIMIT 1
    ) FROM ready WHERE ready.kind IS NOT NULL
    LIMIT ${DUE_KINDS_LISTED + 1}
  ), scheduled AS (
    SELECT kind, min(run_at) AS oldest FROM (
      SELECT kind, run_at FROM ${jobs}
      WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0 AND run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')
      ORDER BY run_at LIMIT ${DUE_COUNTED}
    ) GROUP BY kind
  )
  SELECT found.kind, (unixepoch('now', 'subsec') - unixepoch(scheduled.oldest, 'subsec')) * 1000 AS overdue_ms
  FROM (SELECT kind FROM ready WHERE kind IS NOT NULL UNION SELECT kind FROM scheduled) AS found
  LEFT JOIN scheduled ON scheduled.kind = found.kind
  ORDER BY found.kind LIMIT ${DUE_KINDS_LISTED}`;

export const sweep = (table: string, isOld: string) => `
  DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${isOld} LIMIT ${REGISTER_SWEPT}) RETURNING 1`;

import {
  BACKLOG_COUNTED,
  COUNTS_READ,
  DAY_MS,
  KEEP_HOURS_MS,
  KEEP_MINUTES_MS,
  KEEP_WORKERS_MS,
  MINUTES_COUNTED,
  REGISTER_SWEPT,
} from '../../queue/kind-counts.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeBacklog, decodeCounts, type CountsDialect } from '../sql/kinds-dialect.js';
import { sideTable, type SideTable } from '../sql/side-tables.js';
import { millisOf } from './columns.js';

export function counts(jobs: JobsTable): CountsDialect {
  const quoted = (suffix: SideTable) => sideTable(jobs, suffix).quoted;
  const minutes = quoted('minutes');
  const statements = {
    counts: selectCounts(minutes),
    backlog: backlog(jobs.quoted),
    sweep: [
      sweep(minutes, `span = 1 AND minute < ${ago(KEEP_MINUTES_MS)}`),
      sweep(minutes, `span = 60 AND minute < ${ago(KEEP_HOURS_MS)}`),
      sweep(quoted('workers'), `seen_at < ${ago(KEEP_WORKERS_MS)}`),
      sweep(quoted('controls'), `paused_until < ${ago(KEEP_WORKERS_MS)}`),
    ],
  };
  return {
    counts: async (sql, kind) => decodeCounts(await sql.query(statements.counts, [kind, kind, kind, kind])),
    backlog: async (sql, kinds) =>
      (await sql.query(statements.backlog, [JSON.stringify(kinds)])).map(decodeBacklog),
    sweep: async (sql) => {
      let count = 0;
      for (const statement of statements.sweep) count += (await sql.query(statement)).length;
      return count;
    },
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
    SELECT kind, NULL, NULL, NULL,
      sum(coalesce(counts ->> 'failed', 0) + coalesce(counts ->> 'panicked', 0))
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

export const sweep = (table: string, isOld: string) => `
  DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${isOld} LIMIT ${REGISTER_SWEPT}) RETURNING 1`;

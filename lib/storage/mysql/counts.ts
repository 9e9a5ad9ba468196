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
    sweep: [
      sweep(minutes, `span = 1 AND minute < ${ago(KEEP_MINUTES_MS)}`),
      sweep(minutes, `span = 60 AND minute < ${ago(KEEP_HOURS_MS)}`),
      sweep(quoted('workers'), `seen_at < ${ago(KEEP_WORKERS_MS)}`),
      sweep(quoted('controls'), `paused_until < ${ago(KEEP_WORKERS_MS)}`),
    ],
  };
  return {
    counts: async (sql, kind) => decodeCounts(await sql.query(statements.counts, [kind, kind, kind, kind])),
    backlog: async (sql, kinds) => {
      const statement = backlog(jobs.quoted, kinds.length);
      const parameters = kinds.flatMap((kind) => [kind, kind]);
      return (await sql.query(statement, parameters)).map(decodeBacklog);
    },
    sweep: async (sql) => {
      let count = 0;
      for (const statement of statements.sweep)
        count += Number((await sql.query(statement))[0]?.affected_rows ?? 0);
      return count;
    },
  };
}

const ago = (ms: number) => `UTC_TIMESTAMP(6) - INTERVAL ${ms * 1000} MICROSECOND`;

export const selectCounts = (table: string) => `
  SELECT counted.*, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM (SELECT 1) AS one LEFT JOIN (
    (SELECT kind, span, ${millisOf('minute')} AS minute, counts, NULL AS failed
     FROM ${table}
     WHERE span = 1 AND minute > ${ago((MINUTES_COUNTED + 1) * 60_000)} AND (? IS NULL OR kind = ?)
     LIMIT ${COUNTS_READ})
    UNION ALL
    (SELECT kind, NULL, NULL, NULL,
       SUM(COALESCE(JSON_EXTRACT(counts, '$.failed'), 0) + COALESCE(JSON_EXTRACT(counts, '$.panicked'), 0))
     FROM ${table}
     WHERE span = 60 AND minute > ${ago(DAY_MS)} AND (? IS NULL OR kind = ?)
     GROUP BY kind)
  ) AS counted ON true`;

/* Each part of it ends at its limit: of the index of ready jobs for each kind, and of that of scheduled jobs. */
export const backlog = (jobs: string, kinds: number) => `
  SELECT ready.kind, ready.count AS ready,
    TIMESTAMPDIFF(MICROSECOND, ready.oldest, UTC_TIMESTAMP(6)) / 1000 AS oldest_ready_ms, scheduled.count AS scheduled
  FROM (
    ${Array.from(
      { length: kinds },
      () =>
        `SELECT ? AS kind, COUNT(*) AS count, MIN(run_at) AS oldest FROM (
           SELECT run_at FROM ${jobs} WHERE ready_kind = ? ORDER BY priority, run_at, id LIMIT ${BACKLOG_COUNTED}
         ) AS first`,
    ).join(' UNION ALL ')}
  ) AS ready LEFT JOIN (
    SELECT kind, COUNT(*) AS count FROM (
      SELECT kind FROM ${jobs} WHERE scheduled_at IS NOT NULL ORDER BY scheduled_at LIMIT ${BACKLOG_COUNTED}
    ) AS first GROUP BY kind
  ) AS scheduled ON BINARY scheduled.kind = BINARY ready.kind`;

export const sweep = (table: string, isOld: string) =>
  `DELETE FROM ${table} WHERE ${isOld} LIMIT ${REGISTER_SWEPT}`;

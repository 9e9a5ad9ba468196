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
import { textArray } from './arrays.js';

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
    counts: async (sql, kind) => decodeCounts(await sql.query(statements.counts, [kind])),
    backlog: async (sql, kinds) =>
      (await sql.query(statements.backlog, [textArray(kinds)])).map(decodeBacklog),
    sweep: async (sql) => {
      let count = 0;
      for (const statement of statements.sweep) count += Number((await sql.query(statement))[0]!.count);
      return count;
    },
  };
}

/* By `now()`, which stands still while a statement runs: the condition of an index may be no other. */
const ago = (ms: number) => `now() - interval '${ms} milliseconds'`;

export const selectCounts = (table: string) => `/*NO LOAD BALANCE*/
  SELECT counted.*, date_part('epoch', clock_timestamp()) * 1000 AS now
  FROM (SELECT 1) AS one LEFT JOIN (
    (SELECT kind, span, date_part('epoch', minute) * 1000 AS minute, counts::text AS counts, NULL::int8 AS failed
     FROM ${table}
     WHERE span = 1 AND minute > ${ago((MINUTES_COUNTED + 1) * 60_000)} AND ($1::varchar IS NULL OR kind = $1::varchar)
     LIMIT ${COUNTS_READ})
    UNION ALL
    (SELECT kind, NULL, NULL, NULL,
       sum(coalesce((counts ->> 'failed')::int8, 0) + coalesce((counts ->> 'panicked')::int8, 0))::int8
     FROM ${table}
     WHERE span = 60 AND minute > ${ago(DAY_MS)} AND ($1::varchar IS NULL OR kind = $1::varchar)
     GROUP BY kind)
  ) AS counted ON true`;

/* Each part of it ends at its limit: of the index of ready jobs for each kind, and of that of scheduled jobs. */
export const backlog = (jobs: string) => `/*NO LOAD BALANCE*/
  WITH scheduled AS (
    SELECT kind, count(*) AS count FROM (
      SELECT kind FROM ${jobs} WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due
      ORDER BY run_at LIMIT ${BACKLOG_COUNTED}
    ) AS first GROUP BY kind
  )
  SELECT wanted.kind, ready.count AS ready,
    (date_part('epoch', clock_timestamp()) - date_part('epoch', ready.oldest)) * 1000 AS oldest_ready_ms,
    scheduled.count AS scheduled
  FROM unnest($1::varchar[]) AS wanted(kind) CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(run_at) AS oldest FROM (
      SELECT run_at FROM ${jobs}
      WHERE kind = wanted.kind AND status = 'PENDING' AND locked_by IS NULL AND due
      ORDER BY priority, run_at, id LIMIT ${BACKLOG_COUNTED}
    ) AS first
  ) AS ready LEFT JOIN scheduled ON scheduled.kind = wanted.kind`;

export const sweep = (table: string, isOld: string) => `
  WITH deleted AS (
    DELETE FROM ${table}
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${isOld} LIMIT ${REGISTER_SWEPT} FOR UPDATE SKIP LOCKED))
    RETURNING 1
  ) SELECT count(*) AS count FROM deleted`;

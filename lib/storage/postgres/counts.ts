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
import { textArray } from './arrays.js';

export function counts(jobs: JobsTable): CountsDialect {
  const minutes = sideTable(jobs, 'minutes').quoted;
  const statements = {
    counts: selectCounts(minutes),
    backlog: backlog(jobs.quoted),
    dueKinds: dueKinds(jobs.quoted),
    sweep: sweptRows(ago).map(([suffix, isOld]) => sweep(sideTable(jobs, suffix).quoted, isOld)),
  };
  return {
    counts: async (sql, kind) => decodeCounts(await sql.query(statements.counts, [kind])),
    backlog: async (sql, kinds) =>
      (await sql.query(statements.backlog, [textArray(kinds)])).map(decodeBacklog),
    dueKinds: async (sql) => (await sql.query(statements.dueKinds)).map(decodeDueKind),
    sweep: (sql) => sweepAll(sql, statements.sweep, (rows) => Number(rows[0]!.count)),
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
    (SELECT kind, NULL, NULL, NULL, sum(failed + panicked)
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

/*
 * The first part jumps along the index of ready jobs from one kind to the next. The second one reads the first scheduled
 * jobs that should have been marked due: a worker marks those that it meets, so where none is they stay as they are.
 */
export const dueKinds = (jobs: string) => `/*NO LOAD BALANCE*/
  WITH RECURSIVE ready AS (
    (SELECT kind FROM ${jobs} WHERE status = 'PENDING' AND locked_by IS NULL AND due ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (
      SELECT job.kind FROM ${jobs} AS job
      WHERE job.status = 'PENDING' AND job.locked_by IS NULL AND job.due AND job.kind > ready.kind
      ORDER BY job.kind LIMIT 1
    ) FROM ready WHERE ready.kind IS NOT NULL
  ), scheduled AS (
    SELECT kind, min(run_at) AS oldest FROM (
      SELECT kind, run_at FROM ${jobs}
      WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due AND run_at <= now()
      ORDER BY run_at LIMIT ${DUE_COUNTED}
    ) AS first GROUP BY kind
  )
  SELECT found.kind, (date_part('epoch', now()) - date_part('epoch', scheduled.oldest)) * 1000 AS overdue_ms
  FROM (
    (SELECT kind FROM ready WHERE kind IS NOT NULL LIMIT ${DUE_KINDS_LISTED}) UNION SELECT kind FROM scheduled
  ) AS found LEFT JOIN scheduled ON scheduled.kind = found.kind
  ORDER BY found.kind LIMIT ${DUE_KINDS_LISTED}`;

export const sweep = (table: string, isOld: string) => `
  WITH deleted AS (
    DELETE FROM ${table}
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${isOld} LIMIT ${REGISTER_SWEPT} FOR UPDATE SKIP LOCKED))
    RETURNING 1
  ) SELECT count(*) AS count FROM deleted`;

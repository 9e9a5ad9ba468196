import { compareIds } from '../../job/id-order.js';
import {
  BACKLOG_COUNTED,
  COUNTS_READ,
  DAY_MS,
  DUE_COUNTED,
  DUE_KINDS_LISTED,
  MINUTES_COUNTED,
  REGISTER_SWEPT,
  type DueKind,
} from '../../queue/kind-counts.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeBacklog, decodeCounts, decodeDueKind, type CountsDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { sweepAll, sweptRows } from '../sql/sweeps.js';
import type { Sql } from '../sql/sql.js';
import { millisOf } from './columns.js';

export function counts(jobs: JobsTable): CountsDialect {
  const minutes = sideTable(jobs, 'minutes').quoted;
  const statements = {
    counts: selectCounts(minutes),
    firstReadyKind: firstReadyKind(jobs.quoted),
    overdueKinds: overdueKinds(jobs.quoted),
    sweep: sweptRows(ago).map(([suffix, isOld]) => sweep(sideTable(jobs, suffix).quoted, isOld)),
  };
  return {
    counts: async (sql, kind) => decodeCounts(await sql.query(statements.counts, [kind, kind, kind, kind])),
    backlog: async (sql, kinds) => {
      const statement = backlog(jobs.quoted, kinds.length);
      const parameters = kinds.flatMap((kind) => [kind, kind]);
      return (await sql.query(statement, parameters)).map(decodeBacklog);
    },
    dueKinds: async (sql) => {
      const ready = await readyKinds(sql, statements.firstReadyKind);
      const overdue = (await sql.query(statements.overdueKinds)).map(decodeDueKind);
      return merged(ready, overdue);
    },
    sweep: (sql) => sweepAll(sql, statements.sweep, ([row]) => Number(row?.affected_rows ?? 0)),
  };
}

/** From one kind to the next: a statement for each. */
async function readyKinds(sql: Sql, first: string): Promise<string[]> {
  const kinds: string[] = [];
  while (kinds.length < DUE_KINDS_LISTED) {
    const [row] = await sql.query(first, [kinds.at(-1) ?? '']);
    if (row === undefined) break;
    kinds.push(row.kind as string);
  }
  return kinds;
}

function merged(ready: readonly string[], overdue: readonly DueKind[]): DueKind[] {
  const all = new Map(ready.map((kind): [string, DueKind] => [kind, { kind, overdueMs: null }]));
  for (const one of overdue) all.set(one.kind, one);
  return [...all.values()]
    .toSorted((one, other) => compareIds(one.kind, other.kind))
    .slice(0, DUE_KINDS_LISTED);
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
    (SELECT kind, NULL, NULL, NULL, SUM(failed + panicked)
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

/*
 * Reads one row of the index of ready jobs. A DISTINCT reads all of them on MariaDB, and so does a recursion that goes from one
 * kind to the next: there a range begins at a constant alone.
 */
export const firstReadyKind = (jobs: string) => `
  SELECT ready_kind AS kind FROM ${jobs} WHERE ready_kind > ? ORDER BY ready_kind LIMIT 1`;

/*
 * Reads the first scheduled jobs that should have been marked due: a worker marks those that it meets, so where none is they
 * stay as they are.
 */
export const overdueKinds = (jobs: string) => `
  SELECT kind, TIMESTAMPDIFF(MICROSECOND, MIN(run_at), UTC_TIMESTAMP(6)) / 1000 AS overdue_ms
  FROM (
    SELECT kind, run_at FROM ${jobs}
    WHERE scheduled_at <= UTC_TIMESTAMP(6) ORDER BY scheduled_at LIMIT ${DUE_COUNTED}
  ) AS first
  GROUP BY kind`;

export const sweep = (table: string, isOld: string) =>
  `DELETE FROM ${table} WHERE ${isOld} LIMIT ${REGISTER_SWEPT}`;

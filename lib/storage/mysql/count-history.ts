import { COUNTS_READ, DAY_MS, HOUR_MS, READY_KINDS_LISTED } from '../../queue/kind-counts.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeHistory, decodeMinute, type HistoryDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';
import { millisOf } from './columns.js';

export function countHistory(jobs: JobsTable): HistoryDialect {
  const minutes = sideTable(jobs, 'minutes').quoted;
  const statements = {
    history: selectHistory(minutes),
    hour: selectHour(minutes),
    firstReadyKind: firstReadyKind(jobs.quoted),
  };
  return {
    history: async (sql, kind) =>
      decodeHistory(await sql.query(statements.history, [kind, kind, kind, kind])),
    hour: async (sql, kinds) => (await sql.query(statements.hour, [kinds])).map(decodeMinute),
    readyKinds: (sql) => readyKinds(sql, statements.firstReadyKind),
  };
}

/** From one kind to the next: a statement for each. */
async function readyKinds(sql: Sql, first: string): Promise<string[]> {
  const kinds: string[] = [];
  while (kinds.length < READY_KINDS_LISTED) {
    const [row] = await sql.query(first, [kinds.at(-1) ?? '']);
    if (row === undefined) break;
    kinds.push(row.kind as string);
  }
  return kinds;
}

const ago = (ms: number) => `UTC_TIMESTAMP(6) - INTERVAL ${ms * 1000} MICROSECOND`;

const COUNTERS = ['done', 'failed', 'panicked', 'retried', 'cancelled'];

const SUMS = COUNTERS.map((name) => `SUM(COALESCE(JSON_EXTRACT(counts, '$.${name}'), 0)) AS ${name}`).join(
  ', ',
);

const added = (table: string, span: number, ms: number) => `
  (SELECT kind, span, ${millisOf('minute')} AS minute, ${SUMS}
   FROM ${table}
   WHERE span = ${span} AND ${table}.minute > ${ago(ms)} AND (? IS NULL OR kind = ?)
   GROUP BY span, ${table}.minute, kind LIMIT ${COUNTS_READ})`;

export const selectHistory = (table: string) => `
  SELECT counted.*, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM (SELECT 1) AS one
  LEFT JOIN (${added(table, 1, HOUR_MS)} UNION ALL ${added(table, 60, DAY_MS)}) AS counted ON true`;

export const selectHour = (table: string) => `
  SELECT kind, span, ${millisOf('minute')} AS minute, counts
  FROM ${table} WHERE span = 1 AND ${table}.minute > ${ago(HOUR_MS)} AND kind IN (?)
  LIMIT ${COUNTS_READ}`;

/*
 * Reads one row of the index of ready jobs. A DISTINCT reads all of them on MariaDB, and so does a recursion that goes from one
 * kind to the next: there a range begins at a constant alone.
 */
export const firstReadyKind = (jobs: string) => `
  SELECT ready_kind AS kind FROM ${jobs} WHERE ready_kind > ? ORDER BY ready_kind LIMIT 1`;

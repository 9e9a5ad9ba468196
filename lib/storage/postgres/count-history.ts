import { COUNTERS_SUMMED, COUNTS_READ, DAY_MS, HOUR_MS } from '../../queue/kind-counts.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeHistory, decodeMinute, type HistoryDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';

export function countHistory(jobs: JobsTable): HistoryDialect {
  const minutes = sideTable(jobs, 'minutes').quoted;
  const statements = {
    history: selectHistory(minutes),
    hour: selectHour(minutes),
  };
  return {
    history: async (sql, kind) => decodeHistory(await sql.query(statements.history, [kind])),
    hour: async (sql, kinds) => (await sql.query(statements.hour, [textArray(kinds)])).map(decodeMinute),
  };
}

/* By `now()`, which stands still while a statement runs: the condition of an index may be no other. */
const ago = (ms: number) => `now() - interval '${ms} milliseconds'`;

const SUMS = COUNTERS_SUMMED.map((name) => `sum(${name}) AS ${name}`).join(', ');

const added = (table: string, span: number, ms: number) => `
  (SELECT kind, span, date_part('epoch', minute) * 1000 AS minute, ${SUMS}
   FROM ${table}
   WHERE span = ${span} AND minute > ${ago(ms)} AND ($1::varchar IS NULL OR kind = $1::varchar)
   GROUP BY span, minute, kind ORDER BY minute DESC LIMIT ${COUNTS_READ})`;

export const selectHistory = (table: string) => `/*NO LOAD BALANCE*/
  SELECT counted.*, date_part('epoch', clock_timestamp()) * 1000 AS now
  FROM (SELECT 1) AS one
  LEFT JOIN (${added(table, 1, HOUR_MS)} UNION ALL ${added(table, 60, DAY_MS)}) AS counted ON true`;

export const selectHour = (table: string) => `/*NO LOAD BALANCE*/
  SELECT kind, span, date_part('epoch', minute) * 1000 AS minute, counts::text AS counts
  FROM ${table} WHERE span = 1 AND minute > ${ago(HOUR_MS)} AND kind = ANY ($1::varchar[])
  LIMIT ${COUNTS_READ}`;

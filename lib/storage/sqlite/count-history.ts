import { COUNTERS_SUMMED, COUNTS_READ, DAY_MS, HOUR_MS } from '../../queue/kind-counts.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeHistory, decodeMinute, type HistoryDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf } from './columns.js';

export function countHistory(jobs: JobsTable): HistoryDialect {
  const minutes = sideTable(jobs, 'minutes').quoted;
  const statements = {
    history: selectHistory(minutes),
    hour: selectHour(minutes),
  };
  return {
    history: async (sql, kind) =>
      decodeHistory(await sql.query(statements.history, [kind, kind, kind, kind])),
    hour: async (sql, kinds) => (await sql.query(statements.hour, [JSON.stringify(kinds)])).map(decodeMinute),
  };
}

const ago = (ms: number) => `strftime('%Y-%m-%d %H:%M:%f', 'now', '-${ms / 1000} seconds')`;

const SUMS = COUNTERS_SUMMED.map((name) => `sum(${name}) AS ${name}`).join(', ');

const added = (table: string, span: number, ms: number) => `
  SELECT * FROM (
    SELECT kind, span, ${millisOf('minute')} AS minute, ${SUMS}
    FROM ${table} AS counted
    WHERE span = ${span} AND counted.minute > ${ago(ms)} AND (? IS NULL OR kind = ?)
    GROUP BY span, counted.minute, kind LIMIT ${COUNTS_READ})`;

export const selectHistory = (table: string) => `
  SELECT counted.*, ${millisOf(`'now'`)} AS now
  FROM (SELECT 1) AS one
  LEFT JOIN (${added(table, 1, HOUR_MS)} UNION ALL ${added(table, 60, DAY_MS)}) AS counted ON true`;

export const selectHour = (table: string) => `
  SELECT kind, span, ${millisOf('minute')} AS minute, counts
  FROM ${table} AS counted
  WHERE span = 1 AND counted.minute > ${ago(HOUR_MS)} AND kind IN (SELECT value FROM json_each(?))
  LIMIT ${COUNTS_READ}`;

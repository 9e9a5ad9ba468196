import { KEEP_HOURS_MS, KEEP_MINUTES_MS, KEEP_WORKERS_MS } from '../../queue/kind-counts.js';
import type { SideTable } from './side-tables.js';
import type { Row, Sql } from './sql.js';

/** The rows that a sweep deletes, by table. @param ago an instant so many milliseconds ago, in SQL */
export function sweptRows(ago: (ms: number) => string): readonly (readonly [SideTable, isOld: string])[] {
  return [
    ['minutes', `span = 1 AND minute < ${ago(KEEP_MINUTES_MS)}`],
    ['minutes', `span = 60 AND minute < ${ago(KEEP_HOURS_MS)}`],
    ['workers', `seen_at < ${ago(KEEP_WORKERS_MS)}`],
    ['controls', `paused_until < ${ago(KEEP_WORKERS_MS)}`],
  ];
}

/** Sends one statement after another. @param countOf how many rows an answer tells of @returns how many in all */
export async function sweepAll(
  sql: Sql,
  statements: readonly string[],
  countOf: (rows: readonly Row[]) => number,
): Promise<number> {
  let count = 0;
  for (const statement of statements) count += countOf(await sql.query(statement));
  return count;
}

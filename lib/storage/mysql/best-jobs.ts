import type { LeaseTerms } from '../../queue/lease.js';
import type { Row, Sql } from '../sql/sql.js';

/** A claim of more kinds looks first which of them have ready jobs: an arm of a statement for each would be expensive. */
const MANY_KINDS = 100;

/** Reads the best ready jobs without a lock, before a claim locks some of them. */
export class BestJobs {
  constructor(private readonly table: string) {}

  /** Those of the kinds that are worth a look. */
  async kindsAmong(sql: Sql, served: readonly string[]): Promise<readonly string[]> {
    if (served.length <= MANY_KINDS) return served;
    const rows = await sql.query(readyKinds(this.table));
    const ready = new Set(rows.map((row) => withoutPadding(row.kind as string)));
    return served.filter((kind) => ready.has(withoutPadding(kind)));
  }

  /** @returns at most `limit` rows and one more; the first has no id if scheduled jobs have come due */
  read(sql: Sql, kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<readonly Row[]> {
    const arms = kinds.flatMap((kind) => [kind, Math.min(limit, terms.kindLimits?.get(kind) ?? limit)]);
    return sql.query(bestOfKinds(this.table, kinds.length), [...arms, limit + 1]);
  }
}

/*
 * The best ready jobs, read without a lock. There is one arm for each kind, because an index scan over several kinds would
 * not be in the order of priority. The last arm tells whether scheduled jobs have come due, by a row without an id that
 * comes first.
 */
export const bestOfKinds = (table: string, kinds: number) => `
  ${`(SELECT kind, priority, run_at, id FROM ${table}
      WHERE ready_kind = ? AND run_at <= UTC_TIMESTAMP(6)
      ORDER BY priority, run_at, id LIMIT ?)
     UNION ALL `.repeat(kinds)}
  (SELECT NULL AS kind, NULL AS priority, NULL AS run_at, NULL AS id FROM ${table} WHERE scheduled_at <= UTC_TIMESTAMP(6) LIMIT 1)
  ORDER BY priority, run_at, id LIMIT ?`;

/* From the index alone: 12 ms for 100,000 ready jobs. An arm for each of 10,000 kinds takes a second and more. */
export const readyKinds = (table: string) =>
  `SELECT ready_kind AS kind FROM ${table} WHERE ready_kind IS NOT NULL GROUP BY ready_kind`;

/** As the collation of the table compares texts: it ignores blanks at the end, and groups `k` and `k ` under either. */
function withoutPadding(kind: string): string {
  return kind.replace(/ +$/, '');
}

import type { LeaseTerms } from '../../queue/lease.js';
import { CROWDED_LOOK_MS, MAX_OVERDUE_MS, OVERDUE_LOOK_MS, SCHEDULED_LOOK } from '../sql/row-limits.js';
import type { Row, Sql } from '../sql/sql.js';

/** A claim of more kinds looks first which of them have ready jobs: an arm of a statement for each would be expensive. */
const MANY_KINDS = 100;

/** Reads the best ready jobs without a lock, before a claim locks some of them. */
export class BestJobs {
  /** How many scheduled jobs to look at. */
  private window = SCHEDULED_LOOK;

  constructor(private readonly table: string) {}

  /** Those of the kinds that are worth a look. */
  async kindsAmong(sql: Sql, served: readonly string[]): Promise<readonly string[]> {
    if (served.length <= MANY_KINDS) return served;
    const rows = await sql.query(readyKinds(this.table));
    const ready = new Set(rows.map((row) => withoutPadding(row.kind as string)));
    return served.filter((kind) => ready.has(withoutPadding(kind)));
  }

  /**
   * @param kinds those to read
   * @param served all that are asked for, to find out when the next of them is due
   */
  async read(
    sql: Sql,
    kinds: readonly string[],
    served: readonly string[],
    limit: number,
    terms: LeaseTerms,
  ): Promise<FoundJobs> {
    const arms = kinds.flatMap((kind) => [kind, Math.min(limit, terms.kindLimits?.get(kind) ?? limit)]);
    const { window } = this;
    const rows = await sql.query(bestOfKinds(this.table, kinds.length), [...arms, window, limit + window]);
    const scheduled = rows.filter(({ id }) => id === null);
    return {
      ready: rows.filter(({ id }) => id !== null).slice(0, limit),
      haveComeDue: scheduled.some(({ in_ms }) => Number(in_ms) <= 0),
      nextDueMs: nextDueMs(scheduled, new Set(served), window),
    };
  }

  /** After a claim that took all that it asked for, the next one reads no more than whether jobs have come due. */
  wasAnswered(tookAll: boolean): void {
    this.window = tookAll ? 1 : SCHEDULED_LOOK;
  }
}

export interface FoundJobs {
  readonly ready: readonly Row[];
  /** Scheduled jobs have come due, of any kind. */
  readonly haveComeDue: boolean;
  /** See `ClaimResult`. */
  readonly nextDueMs: number | undefined;
}

/** @param window how many scheduled jobs have been read at most */
function nextDueMs(
  scheduled: readonly Row[],
  served: ReadonlySet<string>,
  window: number,
): number | undefined {
  const inMs = (row: Row) => Number(row.in_ms);
  const recent = scheduled.filter((row) => inMs(row) > -MAX_OVERDUE_MS);
  // One that is overdue, though nothing is marked any more, is just being marked by another worker.
  const lookMs = (ms: number) => (ms > 0 ? ms : Math.max(-ms, OVERDUE_LOOK_MS));
  const ours = recent.filter((row) => served.has(row.kind as string)).map((row) => lookMs(inMs(row)));
  if (ours.length > 0) return Math.min(...ours);
  if (scheduled.length < window) return undefined;
  if (window < SCHEDULED_LOOK) return 0;
  return recent.length === 0 ? undefined : Math.max(...recent.map(inMs), CROWDED_LOOK_MS);
}

/*
 * The best ready jobs, read without a lock. There is one arm for each kind, because an index scan over several kinds would
 * not be in the order of priority. The last arm reads the first scheduled jobs, of all kinds: rows without an id, which come
 * first. They are looked through here: to let the server do that made the statement take half as long again.
 */
export const bestOfKinds = (table: string, kinds: number) => `
  ${`(SELECT kind, priority, run_at, id, NULL AS in_ms FROM ${table}
      WHERE ready_kind = ? AND run_at <= UTC_TIMESTAMP(6)
      ORDER BY priority, run_at, id LIMIT ?)
     UNION ALL `.repeat(kinds)}
  (SELECT kind, NULL AS priority, NULL AS run_at, NULL AS id,
     TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), scheduled_at) / 1000 AS in_ms
   FROM ${table} WHERE scheduled_at IS NOT NULL ORDER BY scheduled_at LIMIT ?)
  ORDER BY priority, run_at, id LIMIT ?`;

/* From the index alone: 12 ms for 100,000 ready jobs. An arm for each of 10,000 kinds takes a second and more. */
export const readyKinds = (table: string) =>
  `SELECT ready_kind AS kind FROM ${table} WHERE ready_kind IS NOT NULL GROUP BY ready_kind`;

/** As the collation of the table compares texts: it ignores blanks at the end, and groups `k` and `k ` under either. */
function withoutPadding(kind: string): string {
  return kind.replace(/ +$/, '');
}

import { withinBytes } from '../../job/payload-size.js';
import type { LeaseTerms } from '../../queue/lease.js';
import { compareIds } from '../../job/id-order.js';
import { CLAIMED_COLUMNS } from '../sql/columns.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeClaimed } from '../sql/row.js';
import { CROWDED_LOOK_MS, DUE_AT_ONCE, MAX_COUNT, SCHEDULED_LOOK } from '../sql/row-limits.js';
import { inOrderOf } from '../sql/row-order.js';
import type { Row, Sql } from '../sql/sql.js';
import { millisOf, select } from './columns.js';

/** How many arms are put into one statement. SQLite takes 500. */
const KINDS_AT_ONCE = 400;

export function claim(table: string): JobsDialect['claim'] {
  const statements = { nextDue: nextDue(table), markDue: markDue(table), lease: lease(table) };

  return async (sql, kinds, limit, terms) => {
    const { marked, nextDueMs } = await markAllDue(sql, kinds);
    const best = await readBest(sql, kinds, limit, terms);
    const rows = best.length === 0 ? [] : await leaseRows(sql, best, terms);
    const jobs = inOrderOf(best, rows).map((row) => decodeClaimed(row, terms));
    const tryAgain = marked >= DUE_AT_ONCE || jobs.length < best.length;
    return jobs.length < limit ? { jobs, tryAgain, nextDueMs } : { jobs, tryAgain };
  };

  async function markAllDue(sql: Sql, kinds: readonly string[]): Promise<Marked> {
    const [row] = await sql.query(statements.nextDue, [JSON.stringify(kinds)]); // a read waits for no writer
    const marked = row!.are_due === 1 ? (await sql.query(statements.markDue)).length : 0;
    if (marked >= DUE_AT_ONCE) return { marked, nextDueMs: 0 };
    return { marked, nextDueMs: row!.next_due_ms === null ? undefined : Number(row!.next_due_ms) };
  }

  async function readBest(
    sql: Sql,
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
  ): Promise<readonly Row[]> {
    const best: Row[] = [];
    for (let start = 0; start < kinds.length; start += KINDS_AT_ONCE) {
      const some = kinds.slice(start, start + KINDS_AT_ONCE);
      const arms = some.flatMap((kind) => [kind, Math.min(limit, terms.kindLimits?.get(kind) ?? limit)]);
      best.push(...(await sql.query(bestOfKinds(table, some.length), [...arms, limit])));
    }
    const first = kinds.length <= KINDS_AT_ONCE ? best : best.toSorted(byTurn).slice(0, limit);
    return withinBytes(first, (row) => Number(row.payload_size), terms.maxBytes);
  }

  function leaseRows(sql: Sql, rows: readonly Row[], terms: LeaseTerms): Promise<readonly Row[]> {
    const { workerId, alone = false, leaseMs } = terms;
    const ids = JSON.stringify(rows.map(({ id }) => id));
    return sql.query(statements.lease, [workerId, Number(alone), leaseMs / 1000, ids]);
  }
}

interface Marked {
  /** How many scheduled jobs have been marked due. */
  readonly marked: number;
  /** See `ClaimResult`. */
  readonly nextDueMs: number | undefined;
}

/* Whether scheduled jobs have come due, of any kind, and when the next one of ours is. */
export const nextDue = (table: string) => `
  SELECT are_due, min(coalesce(of_ours, of_others), coalesce(of_others, of_ours)) AS next_due_ms
  FROM (
    SELECT
      EXISTS (
        SELECT 1 FROM ${table}
        WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0 AND run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')
      ) AS are_due,
      ${inMsOf('min(CASE WHEN kind IN (SELECT value FROM json_each(?)) THEN run_at END)')} AS of_ours,
      CASE count(*) WHEN ${SCHEDULED_LOOK} THEN max(${inMsOf('max(run_at)')}, ${CROWDED_LOOK_MS}) END AS of_others
    FROM (
      SELECT kind, run_at FROM ${table}
      WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0 AND run_at > strftime('%Y-%m-%d %H:%M:%f', 'now')
      ORDER BY run_at LIMIT ${SCHEDULED_LOOK}
    )
  )`;

function inMsOf(instant: string): string {
  return `${millisOf(instant)} - ${millisOf("'now'")}`;
}

export const markDue = (table: string) => `
  UPDATE ${table} SET due = 1
  WHERE id IN (
    SELECT id FROM ${table}
    WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0 AND run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')
    ORDER BY run_at LIMIT ${DUE_AT_ONCE}
  )
  RETURNING id`;

/*
 * One arm for each kind, because an index scan over several kinds would not be in the order of priority. SQLite takes at
 * most 500 arms.
 */
export const bestOfKinds = (table: string, kinds: number) =>
  Array.from(
    { length: kinds },
    () => `SELECT * FROM (
      SELECT id, priority, run_at, payload_size FROM ${table}
      WHERE kind = ? AND status = 'PENDING' AND locked_by IS NULL AND due = 1 AND run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')
      ORDER BY priority, run_at, id LIMIT ?)`,
  ).join(' UNION ALL ') + ' ORDER BY priority, run_at, id LIMIT ?';

export const lease = (table: string) => `
  UPDATE ${table}
  SET lease_token = min(lease_token, ${MAX_COUNT - 1}) + 1, locked_by = ?, alone = ?,
      locked_at = strftime('%Y-%m-%d %H:%M:%f', 'now'),
      locked_until = strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds'),
      heartbeat_at = NULL, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE id IN (SELECT value FROM json_each(?)) AND status = 'PENDING' AND locked_by IS NULL
  RETURNING ${select(CLAIMED_COLUMNS)}, ${millisOf('locked_at')} AS now`;

/** Jobs in the order in which they are started. */
function byTurn(one: Row, other: Row): number {
  return (
    Number(one.priority) - Number(other.priority) ||
    compare(one.run_at as string, other.run_at as string) ||
    compareIds(one.id as string, other.id as string)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

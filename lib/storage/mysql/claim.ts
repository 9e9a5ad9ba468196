import type { LeaseTerms } from '../../queue/lease.js';
import { CLAIMED_COLUMNS } from '../sql/columns.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeClaimed } from '../sql/row.js';
import { DUE_AT_ONCE } from '../sql/row-limits.js';
import { inOrderOf } from '../sql/row-order.js';
import type { Row, Sql } from '../sql/sql.js';
import { BestJobs } from './best-jobs.js';
import { millisOf, select } from './columns.js';
import { dueMarker } from './due.js';
import { asDatetime } from './parameters.js';
import { inOwnTransaction } from './transaction.js';

export function claim(table: string): JobsDialect['claim'] {
  const statements = { lockReadyOfKind: lockReadyOfKind(table), lease: lease(table) };
  const best = new BestJobs(table);
  const markDue = dueMarker(table);

  return async (sql, served, limit, terms) => {
    const kinds = await best.kindsAmong(sql, served);
    // If there is one kind, only whether it has a job has to be known before jobs are locked.
    const isOneKind = kinds.length === 1;
    const found = await best.read(sql, kinds, isOneKind ? 1 : limit, terms);
    const haveComeDue = found[0]?.id === null;
    // Jobs that have just come due may go before those that were read: look again. But do not wait until all are marked
    // if there are more, nor for jobs that another worker has locked.
    const marked = haveComeDue ? await markDue(sql) : 0;
    if (marked > 0 && marked < DUE_AT_ONCE) return { jobs: [], tryAgain: true };
    const areMoreDue = marked > 0;
    const ready = haveComeDue ? found.slice(1) : found.slice(0, limit);
    if (ready.length === 0) return { jobs: [], tryAgain: areMoreDue };
    const share = isOneKind ? countOf(kinds[0]!, limit, terms) : countByKind(ready);
    const rows = await inOwnTransaction(sql, () => claimShare(sql, share, terms));
    const inOrder = isOneKind ? rows : inOrderOf(ready, rows);
    const areMoreReady = !isOneKind && rows.length < ready.length;
    return {
      jobs: inOrder.map((row) => decodeClaimed(row, terms)),
      tryAgain: areMoreDue || areMoreReady,
    };
  };

  async function claimShare(
    sql: Sql,
    share: ReadonlyMap<string, number>,
    terms: LeaseTerms,
  ): Promise<readonly Row[]> {
    const locked: Row[] = [];
    for (const [kind, size] of share)
      locked.push(...(await sql.query(statements.lockReadyOfKind, [kind, size])));
    if (locked.length === 0) return [];
    const now = Number(locked[0]!.now);
    const [nowText, untilText] = [asDatetime(now), asDatetime(now + terms.leaseMs)];
    const ids = locked.map((row) => row.id);
    await sql.query(statements.lease, [
      ...[terms.workerId, nowText, untilText, terms.alone ?? false, nowText],
      ids,
    ]);
    return locked.map((row) => ({ ...row, lease_token: Number(row.lease_token) + 1, now }));
  }
}

/*
 * "run_at" alone would name the number that is selected under it. To sort by that the server would read, and lock, every
 * ready row of the kind.
 */
export const lockReadyOfKind = (table: string) => `
  SELECT ${select(CLAIMED_COLUMNS)}, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM ${table} AS job
  WHERE ready_kind = ? AND run_at <= UTC_TIMESTAMP(6)
  ORDER BY job.priority, job.run_at, job.id LIMIT ?
  FOR UPDATE SKIP LOCKED`;

export const lease = (table: string) => `
  UPDATE ${table}
  SET lease_token = lease_token + 1, locked_by = ?, locked_at = ?, locked_until = ?, alone = ?, updated_at = ?
  WHERE id IN (?)`;

/** How many jobs to take of the kind. */
function countOf(kind: string, limit: number, { kindLimits }: LeaseTerms): Map<string, number> {
  return new Map([[kind, Math.min(limit, kindLimits?.get(kind) ?? limit)]]);
}

function countByKind(rows: readonly Row[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.kind as string, (counts.get(row.kind as string) ?? 0) + 1);
  return counts;
}

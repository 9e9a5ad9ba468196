import type { LeaseTerms } from '../../queue/lease.js';
import type { ClaimResult, JobsDialect } from '../sql/jobs-dialect.js';
import { decodeClaimed } from '../sql/row.js';
import { DUE_AT_ONCE } from '../sql/row-limits.js';
import { inOrderOf } from '../sql/row-order.js';
import type { Row, Sql } from '../sql/sql.js';
import { BestJobs } from './best-jobs.js';
import { dueMarker } from './due.js';
import { ReadyRows, type Share } from './ready-rows.js';
import { inOwnTransaction } from './transaction.js';

export function claim(table: string): JobsDialect['claim'] {
  const best = new BestJobs(table);
  const readyRows = new ReadyRows(table);
  const markDue = dueMarker(table);

  return async (sql, served, limit, terms, order) => {
    const result = await look(sql, served, limit, terms, order === 'last');
    const tookAll = result.jobs.length >= limit;
    best.wasAnswered(tookAll);
    return tookAll ? { ...result, nextDueMs: undefined } : result;
  };

  async function look(
    sql: Sql,
    served: readonly string[],
    limit: number,
    terms: LeaseTerms,
    isLast: boolean,
  ): Promise<ClaimResult> {
    const kinds = await best.kindsAmong(sql, served);
    // If there is one kind, only whether it has a job has to be known before jobs are locked.
    const isOneKind = kinds.length === 1;
    const { ready, ...found } = await best.read(sql, kinds, served, isOneKind ? 1 : limit, terms);
    // Jobs that have just come due may go before those that were read: look again. But do not wait until all are marked
    // if there are more, nor for jobs that another worker has locked, nor without end where jobs come due all the time.
    const marked = found.haveComeDue ? await markDue(sql) : 0;
    const areMoreDue = marked > 0;
    const nextDueMs = areMoreDue ? 0 : found.nextDueMs;
    if (areMoreDue && marked < DUE_AT_ONCE && !isLast) return { jobs: [], tryAgain: true, nextDueMs };
    if (ready.length === 0) return { jobs: [], tryAgain: areMoreDue, nextDueMs };
    const share = isOneKind ? shareOf(kinds[0]!, limit, terms) : countByKind(ready);
    const inTurn = (rows: readonly Row[]) => (isOneKind ? rows : inOrderOf(ready, rows));
    const rows = await inOwnTransaction(sql, () => readyRows.take(sql, share, inTurn, terms));
    const areMoreReady = !isOneKind && rows.length < ready.length;
    const jobs = rows.map((row) => decodeClaimed(row, terms));
    return { jobs, tryAgain: areMoreDue || areMoreReady, nextDueMs };
  }
}

/** All of one kind. */
function shareOf(kind: string, limit: number, { kindLimits }: LeaseTerms): Share {
  return new Map([[kind, Math.min(limit, kindLimits?.get(kind) ?? limit)]]);
}

function countByKind(rows: readonly Row[]): Share {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.kind as string, (counts.get(row.kind as string) ?? 0) + 1);
  return counts;
}

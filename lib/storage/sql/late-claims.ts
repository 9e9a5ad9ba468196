import type { OwnClaims } from '../../queue/lease.js';
import type { Row } from './sql.js';

/** Whether a lease that has run out is that of a claim of the caller's own of which it has never heard. */
export function isCarriedOutLate(
  { id, workerId }: { readonly id: string; readonly workerId: string },
  own?: OwnClaims,
): boolean {
  return workerId === own?.workerId && !own.lostIds.includes(id);
}

/**
 * Parts the jobs of claims that were carried out late from those of workers that have died. No crash is counted of them.
 * @param rows whose leases have run out
 */
export function partLate(rows: readonly Row[], own?: OwnClaims): readonly [late: Row[], others: Row[]] {
  const isLate = (row: Row) =>
    isCarriedOutLate({ id: row.id as string, workerId: row.locked_by as string }, own);
  const late = rows.filter(isLate).map((row) => ({
    ...row,
    crashes: row.crashes_before,
    status: Number(row.is_stopping) ? 'CANCELLED' : 'PENDING',
  }));
  return [late, rows.filter((row) => !isLate(row))];
}

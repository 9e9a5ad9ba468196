import type { Lease } from '../../queue/lease.js';
import type { WrittenLease } from '../sql/jobs-dialect.js';
import type { Row, Sql } from '../sql/sql.js';
import { inOwnTransaction } from './transaction.js';

/** Writes the rows of leases that are locked and still as given. */
export type WriteHeld<L> = (held: readonly L[]) => Promise<unknown>;

/**
 * An UPDATE returns no rows here. So a write under leases locks the rows whose leases are still as given, then lets
 * `write` write those by primary key, and tells which they were.
 */
export class LockedLeases {
  private readonly lockLeases: string;

  constructor(table: string) {
    this.lockLeases = lockLeases(table);
  }

  /** In a transaction of its own. */
  write<L extends Lease>(sql: Sql, leases: readonly L[], write: WriteHeld<L>): Promise<WrittenLease[]> {
    return inOwnTransaction(sql, () => this.writeJoined(sql, leases, write));
  }

  /** In the transaction that `sql` is in. */
  async writeJoined<L extends Lease>(
    sql: Sql,
    leases: readonly L[],
    write: WriteHeld<L>,
  ): Promise<WrittenLease[]> {
    const rows = await sql.query(this.lockLeases, [leases.map((lease) => lease.id)]);
    const locked = new Map(rows.map((row) => [row.id, row]));
    const held = leases.filter((lease) => isHolderOf(locked.get(lease.id), lease));
    if (held.length > 0) await write(held);
    return held.map(({ id, leaseToken }) => ({ id, leaseToken }));
  }
}

export const lockLeases = (table: string) => `
  SELECT id, lease_token, locked_by FROM ${table} FORCE INDEX (PRIMARY)
  WHERE id IN (?) AND running = 1
  ORDER BY id
  FOR UPDATE SKIP LOCKED`;

function isHolderOf(row: Row | undefined, { leaseToken, lockedBy }: Lease): boolean {
  return row !== undefined && Number(row.lease_token) === leaseToken && row.locked_by === lockedBy;
}

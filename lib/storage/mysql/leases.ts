import type { Lease } from '../../queue/lease.js';
import type { JobsDialect, SeenLease } from '../sql/jobs-dialect.js';
import { decodeSeenLease } from '../sql/row.js';
import { LockedLeases } from './locked-leases.js';
import { listOf } from './parameters.js';
import type { MysqlServer } from './server.js';
import { inOwnTransaction } from './transaction.js';

type LeasesDialect = Pick<JobsDialect, 'renew' | 'release' | 'releaseUnheld' | 'look'>;

export function leases(
  table: string,
  { mayLagBehind = false }: Pick<MysqlServer, 'mayLagBehind'>,
): LeasesDialect {
  const statements = {
    renew: renew(table),
    stopping: stopping(table),
    release: release(table),
    lockClaimedBy: lockClaimedBy(table),
    look: look(table),
  };
  const lockedLeases = new LockedLeases(table);
  return {
    renew: (sql, given, leaseMs) =>
      inOwnTransaction(sql, async () => {
        const alone = listOf(idsOf(given.filter((lease) => lease.alone)));
        const renewed = await lockedLeases.writeJoined(sql, given, (held) =>
          sql.query(statements.renew, [leaseMs * 1000, alone, idsOf(held)]),
        );
        if (renewed.length === 0) return [];
        const stopping = await sql.query(statements.stopping, [renewed.map(({ id }) => id)]);
        const stops = new Map(
          stopping.map(({ id, cancel_reason }) => [id, { reason: cancel_reason as string | null }]),
        );
        return renewed.map((lease) => ({ ...lease, stop: stops.get(lease.id) }));
      }),
    release: (sql, given) =>
      lockedLeases.write(sql, given, (held) => sql.query(statements.release, [idsOf(held)])),
    releaseUnheld: (sql, workerId, held) => {
      const heldIds = new Set(idsOf(held));
      return inOwnTransaction(sql, async () => {
        const rows = await sql.query(statements.lockClaimedBy, [workerId]);
        const ids = rows.map((row) => row.id as string).filter((id) => !heldIds.has(id));
        if (ids.length > 0) await sql.query(statements.release, [ids]);
        return ids.length;
      });
    },
    look: async (sql, given) => {
      const seen = (await sql.query(statements.look, [idsOf(given)])).map(decodeSeenLease);
      return mayLagBehind ? [...seen, ...unseen(given, seen)] : seen;
    },
  };
}

export const renew = (table: string) => `
  UPDATE ${table}
  SET locked_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, heartbeat_at = UTC_TIMESTAMP(6),
      alone = (id IN (?)) IS TRUE
  WHERE id IN (?)`;

/* Apart from the locks, which settlements take as well: few jobs are ever asked to end. */
export const stopping = (table: string) => `
  SELECT id, cancel_reason FROM ${table} FORCE INDEX (PRIMARY)
  WHERE id IN (?) AND cancel_requested_at IS NOT NULL`;

/* What was asked to end, and has not begun or is given back, ends with this. */
export const release = (table: string) => `
  UPDATE ${table}
  SET status = IF(cancel_requested_at IS NULL, status, 'CANCELLED'), locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0, updated_at = UTC_TIMESTAMP(6)
  WHERE id IN (?)`;

export const lockClaimedBy = (table: string) => `
  SELECT id FROM ${table} WHERE running = 1 AND locked_by = ? ORDER BY id FOR UPDATE SKIP LOCKED`;

export const look = (table: string) =>
  `SELECT id, lease_token, locked_by, running IS NOT NULL AS is_held FROM ${table} WHERE id IN (?)`;

/** Where not even the insert of a row has been applied yet, it is as before any claim. */
function unseen(given: readonly Lease[], seen: readonly SeenLease[]): SeenLease[] {
  const ids = new Set(idsOf(seen));
  return idsOf(given)
    .filter((id) => !ids.has(id))
    .map((id) => ({ id, leaseToken: 0, lockedBy: '', isHeld: false }));
}

function idsOf(given: readonly Lease[]): string[] {
  return given.map(({ id }) => id);
}

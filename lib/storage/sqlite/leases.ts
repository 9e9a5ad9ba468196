import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeLease, decodeRenewal, decodeSeenLease } from '../sql/row.js';
import { bindLeases, idsOf, leaseOf } from './parameters.js';

type LeasesDialect = Pick<JobsDialect, 'renew' | 'release' | 'releaseUnheld' | 'look'>;

export function leases(table: string): LeasesDialect {
  const statements = {
    renew: renew(table),
    release: release(table),
    releaseUnheld: releaseUnheld(table),
    look: look(table),
  };
  return {
    renew: async (sql, given, leaseMs) => {
      const held = given.map(({ alone, ...lease }) => ({ ...leaseOf(lease), alone: Number(alone) }));
      return (await sql.query(statements.renew, [leaseMs / 1000, JSON.stringify(held)])).map(decodeRenewal);
    },
    release: async (sql, given) =>
      (await sql.query(statements.release, [bindLeases(given)])).map(decodeLease),
    releaseUnheld: async (sql, workerId, held) =>
      (await sql.query(statements.releaseUnheld, [workerId, idsOf(held)])).length,
    look: async (sql, given) => (await sql.query(statements.look, [idsOf(given)])).map(decodeSeenLease),
  };
}

export const renew = (table: string) => `
  UPDATE ${table} AS job
  SET locked_until = strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds'),
      heartbeat_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), alone = held.value ->> 'alone'
  FROM json_each(?) AS held
  WHERE job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by = held.value ->> 'lockedBy'
  RETURNING id, lease_token, cancel_requested_at IS NOT NULL AS is_stopping, cancel_reason`;

/* What was asked to end, and has not begun or is given back, ends with this. */
export const release = (table: string) => `
  UPDATE ${table} AS job
  SET status = CASE WHEN cancel_requested_at IS NULL THEN status ELSE 'CANCELLED' END, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  FROM json_each(?) AS held
  WHERE job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by = held.value ->> 'lockedBy'
  RETURNING id, lease_token, status`;

export const releaseUnheld = (table: string) => `
  UPDATE ${table}
  SET status = CASE WHEN cancel_requested_at IS NULL THEN status ELSE 'CANCELLED' END, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE status = 'PENDING' AND locked_by = ? AND id NOT IN (SELECT value FROM json_each(?))
  RETURNING id`;

export const look = (table: string) => `
  SELECT id, lease_token, locked_by, status = 'PENDING' AND locked_by IS NOT NULL AS is_held
  FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`;

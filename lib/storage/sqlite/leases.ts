import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeLease } from '../sql/row.js';
import { bindLeases, idsOf } from './parameters.js';

type LeasesDialect = Pick<JobsDialect, 'renew' | 'release' | 'releaseUnheld' | 'live'>;

export function leases(table: string): LeasesDialect {
  const statements = {
    renew: renew(table),
    release: release(table),
    releaseUnheld: releaseUnheld(table),
    live: live(table),
  };
  return {
    renew: async (sql, given, leaseMs) => {
      const held = given.map(({ id, leaseToken, alone }) => ({ id, leaseToken, alone: Number(alone) }));
      return (await sql.query(statements.renew, [leaseMs / 1000, JSON.stringify(held)])).map(decodeLease);
    },
    release: async (sql, given) =>
      (await sql.query(statements.release, [bindLeases(given)])).map(decodeLease),
    releaseUnheld: async (sql, workerId, held) =>
      (await sql.query(statements.releaseUnheld, [workerId, idsOf(held)])).length,
    live: async (sql, given) => (await sql.query(statements.live, [bindLeases(given)])).map(decodeLease),
  };
}

export const renew = (table: string) => `
  UPDATE ${table} AS job
  SET locked_until = strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds'),
      heartbeat_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), alone = held.value ->> 'alone'
  FROM json_each(?) AS held
  WHERE job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
  RETURNING id, lease_token`;

export const release = (table: string) => `
  UPDATE ${table} AS job
  SET locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  FROM json_each(?) AS held
  WHERE job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
  RETURNING id, lease_token`;

export const releaseUnheld = (table: string) => `
  UPDATE ${table}
  SET locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE status = 'PENDING' AND locked_by = ? AND id NOT IN (SELECT value FROM json_each(?))
  RETURNING id`;

export const live = (table: string) => `
  SELECT job.id, job.lease_token
  FROM json_each(?) AS held
  CROSS JOIN ${table} AS job ON job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
  WHERE job.status = 'PENDING' AND job.locked_by IS NOT NULL`;

import type { JobsDialect } from '../sql/jobs-dialect.js';
import { decodeLease, decodeRenewal, decodeSeenLease } from '../sql/row.js';
import { textArray } from './arrays.js';
import { bindLeases, workersOf } from './parameters.js';

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
      const alone = given.map((lease) => lease.alone);
      return (
        await sql.query(statements.renew, [...bindLeases(given), alone, leaseMs, workersOf(given)])
      ).map(decodeRenewal);
    },
    release: async (sql, given) =>
      (await sql.query(statements.release, [...bindLeases(given), workersOf(given)])).map(decodeLease),
    releaseUnheld: async (sql, workerId, held) =>
      (await sql.query(statements.releaseUnheld, [workerId, held.map(({ id }) => id)])).length,
    look: async (sql, given) =>
      (await sql.query(statements.look, [textArray(given.map(({ id }) => id))])).map(decodeSeenLease),
  };
}

export const renew = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens, $3::boolean[] AS alone
  ), held AS MATERIALIZED (
    SELECT given.id, given.alone
    FROM sent, unnest(sent.ids, sent.lease_tokens, sent.alone) AS given(id, lease_token, alone)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($5::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  )
  UPDATE ${table} AS job
  SET locked_until = now() + $4::float8 * interval '1 millisecond', heartbeat_at = now(), alone = held.alone
  FROM held
  WHERE job.id = held.id
  RETURNING job.id, job.lease_token, job.cancel_requested_at IS NOT NULL AS is_stopping, job.cancel_reason`;

/* What was asked to end, and has not begun or is given back, ends with this. */
export const release = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens
  ), held AS MATERIALIZED (
    SELECT given.id
    FROM sent, unnest(sent.ids, sent.lease_tokens) AS given(id, lease_token)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($3::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  )
  UPDATE ${table} AS job
  SET status = CASE WHEN cancel_requested_at IS NULL THEN status ELSE 'CANCELLED' END, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = now()
  FROM held
  WHERE job.id = held.id
  RETURNING job.id, job.lease_token`;

export const releaseUnheld = (table: string) => `
  WITH unheld AS MATERIALIZED (
    SELECT id FROM ${table}
    WHERE status = 'PENDING' AND locked_by = $1 AND NOT id = ANY ($2::varchar[])
    ORDER BY id FOR UPDATE SKIP LOCKED
  )
  UPDATE ${table}
  SET status = CASE WHEN cancel_requested_at IS NULL THEN status ELSE 'CANCELLED' END, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = now()
  WHERE id = ANY (ARRAY(SELECT id FROM unheld))
  RETURNING id`;

/* The comment keeps pgpool from asking a standby, which may be behind. */
export const look = (table: string) => `/*NO LOAD BALANCE*/
  SELECT id, lease_token, locked_by, status = 'PENDING' AND locked_by IS NOT NULL AS is_held
  FROM ${table} WHERE id = ANY ($1::varchar[])`;

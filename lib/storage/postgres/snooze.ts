import type { Settlement } from '../../queue/job-queue.js';
import { delayAfter } from '../../job/outcome.js';
import type { WrittenLease } from '../sql/jobs-dialect.js';
import { decodeLease } from '../sql/row.js';
import type { Sql } from '../sql/sql.js';
import { numberArray } from './arrays.js';
import { bindLeases, workersOf } from './parameters.js';

/** Puts jobs back whose handlers have asked for it. */
export function snooze(table: string): (sql: Sql, given: readonly Settlement[]) => Promise<WrittenLease[]> {
  const statement = snoozeHeld(table);
  return async (sql, given) => {
    const delays = numberArray(given.map(({ outcome }) => delayAfter(outcome)));
    return (await sql.query(statement, [...bindLeases(given), delays, workersOf(given)])).map(decodeLease);
  };
}

/*
 * A release, but the job is not ready before its time. That counts from the statement: a transactional handler may have begun
 * its transaction long ago. What was asked to end, and is put back, ends with this.
 */
export const snoozeHeld = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens, $3::float8[] AS delays_ms
  ), held AS MATERIALIZED (
    SELECT given.id, given.delay_ms
    FROM sent, unnest(sent.ids, sent.lease_tokens, sent.delays_ms) AS given(id, lease_token, delay_ms)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($4::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  )
  UPDATE ${table} AS job
  SET status = CASE WHEN cancel_requested_at IS NULL THEN status ELSE 'CANCELLED' END,
      run_at = statement_timestamp() + held.delay_ms * interval '1 millisecond', due = held.delay_ms = 0,
      locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = statement_timestamp()
  FROM held
  WHERE job.id = held.id
  RETURNING job.id, job.lease_token`;

import type { Outcome } from '../../job/outcome.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { outcomeColumns } from '../sql/outcome-columns.js';
import { MAX_COUNT } from '../sql/row-limits.js';
import { decodeLease } from '../sql/row.js';
import type { Row } from '../sql/sql.js';
import { numberArray, textArray, unlessAll } from './arrays.js';
import { bindLeases, byteaOf, workersOf } from './parameters.js';

export function settle(table: string): JobsDialect['settle'] {
  const [each, alike] = [settleEach(table), settleAlike(table)];
  return async (sql, settlements) => {
    const outcomes = settlements.map(({ outcome }) => outcome);
    const leases = bindLeases(settlements);
    const workers = workersOf(settlements);
    const [row] = areSame(outcomes)
      ? await sql.query(alike, [...leases, ...bindOutcome(outcomes[0]!), workers])
      : await sql.query(each, [...leases, ...bindOutcomes(outcomes), workers]);
    if (row!.part === null) return settlements;
    return (JSON.parse(row!.part as string) as Row[]).map(decodeLease);
  };
}

/* "part" lists what was written, and is NULL if that is all that was sent. */
export const settleEach = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens, $3::varchar[] AS statuses, $4::json[] AS results,
      $5::bytea[] AS results_bytes, $6::text[] AS last_errors, $7::float8[] AS delays_ms
  ), held AS MATERIALIZED (
    SELECT given.*
    FROM sent, unnest(sent.ids, sent.lease_tokens, sent.statuses, sent.results, sent.results_bytes, sent.last_errors,
      sent.delays_ms) AS given(id, lease_token, status, result, result_bytes, last_error, delay_ms)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($8::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  ), written AS (
    UPDATE ${table} AS job
    SET status = held.status, result = held.result, result_bytes = held.result_bytes,
        last_error = coalesce(held.last_error, job.last_error),
        run_at = CASE WHEN held.delay_ms IS NULL THEN job.run_at ELSE now() + held.delay_ms * interval '1 millisecond' END,
        due = held.delay_ms IS NULL OR held.delay_ms = 0,
        attempts_done = least(job.attempts_done, ${MAX_COUNT - 1}) + 1, last_attempt_at = job.locked_at, updated_at = now(),
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false
    FROM held
    WHERE job.id = held.id
    RETURNING job.id, job.lease_token
  )
  SELECT CASE WHEN (SELECT count(*) FROM written) < cardinality($1::varchar[]) THEN
    (SELECT coalesce(json_agg(json_build_object('id', id, 'lease_token', lease_token)), '[]') FROM written)
  END::text AS part`;

/*
 * The same for outcomes that are all alike, as those of handlers that return nothing. It takes two thirds of the work,
 * because nothing has to be joined. It goes by the ctid of the row version that has just been locked, see claim.ts. What
 * it asks of the row besides must not read as the condition of an index, or the planner would go through that index.
 */
export const settleAlike = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens
  ), held AS MATERIALIZED (
    SELECT job.row_id
    FROM sent, unnest(sent.ids, sent.lease_tokens) AS given(id, lease_token)
    CROSS JOIN LATERAL (
      SELECT ctid AS row_id FROM ${table}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($8::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  ), written AS (
    UPDATE ${table}
    SET status = $3, result = $4, result_bytes = $5, last_error = coalesce($6, last_error),
        run_at = CASE WHEN $7::float8 IS NULL THEN run_at ELSE now() + $7::float8 * interval '1 millisecond' END,
        due = $7::float8 IS NULL OR $7::float8 = 0,
        attempts_done = least(attempts_done, ${MAX_COUNT - 1}) + 1, last_attempt_at = locked_at, updated_at = now(),
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false
    WHERE ctid = ANY (ARRAY(SELECT row_id FROM held)) AND status = 'PENDING' AND (locked_by IS NULL) IS FALSE
    RETURNING id, lease_token
  )
  SELECT CASE WHEN (SELECT count(*) FROM written) < cardinality($1::varchar[]) THEN
    (SELECT coalesce(json_agg(json_build_object('id', id, 'lease_token', lease_token)), '[]') FROM written)
  END::text AS part`;

export function bindOutcome(outcome: Outcome): unknown[] {
  const { status, result, resultBytes, lastError, delayMs } = outcomeColumns(outcome);
  return [status, result, byteaOf(resultBytes), lastError, delayMs];
}

export function bindOutcomes(outcomes: readonly Outcome[]): unknown[] {
  const all = outcomes.map(outcomeColumns);
  const results = all.map(({ result }) => result);
  const resultsBytes = all.map(({ resultBytes }) => byteaOf(resultBytes));
  const lastErrors = all.map(({ lastError }) => lastError);
  const delays = all.map(({ delayMs }) => delayMs);
  return [
    textArray(all.map(({ status }) => status)),
    unlessAll(null, results, textArray),
    unlessAll(null, resultsBytes, textArray),
    unlessAll(null, lastErrors, textArray),
    unlessAll(null, delays, numberArray),
  ];
}

/** Whether outcomes are the same, as of handlers that are done and return nothing. Errors hardly ever are. */
function areSame(outcomes: readonly Outcome[]): boolean {
  const [first] = outcomes;
  return outcomes.every((outcome) => outcome === first || (first !== undefined && isSame(outcome, first)));
}

function isSame(one: Outcome, other: Outcome): boolean {
  if (one.type !== 'done' || other.type !== 'done') return false;
  return one.result.json === other.result.json && one.result.bytes === other.result.bytes;
}

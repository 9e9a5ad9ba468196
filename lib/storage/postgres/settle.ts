import type { StoredDocument } from '../../job/document.js';
import type { AttemptHistory } from '../../job/job-attempt.js';
import type { Outcome } from '../../job/outcome.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect, WrittenLease } from '../sql/jobs-dialect.js';
import { isAnyRecorded, outcomeColumns, partByFate } from '../sql/outcome-columns.js';
import { MAX_COUNT } from '../sql/row-limits.js';
import { decodeLease } from '../sql/row.js';
import { inTransaction, type Row, type Sql } from '../sql/sql.js';
import { numberArray, textArray, unlessAll } from './arrays.js';
import { recordEnded } from './attempts.js';
import { forgetDeleted } from './forget.js';
import { bindLeases, byteaOf, workersOf } from './parameters.js';
import { snooze } from './snooze.js';

export function settle(table: JobsTable, history: AttemptHistory): JobsDialect['settle'] {
  const writes = {
    kept: settleKept(table, history),
    deleted: settleDeleted(table),
    snoozed: snooze(table.quoted),
  };
  return async (sql, settlements, isJoined) => {
    const { kept, deleted, snoozed } = partByFate(settlements);
    const steps: (() => Promise<readonly WrittenLease[]>)[] = [];
    if (kept.length > 0) steps.push(() => writes.kept(sql, kept));
    if (deleted.length > 0) steps.push(() => writes.deleted(sql, deleted));
    if (snoozed.length > 0) steps.push(() => writes.snoozed(sql, snoozed));
    if (steps.length === 1) return steps[0]!();
    const all = async () => {
      const written: WrittenLease[] = [];
      for (const step of steps) written.push(...(await step()));
      return written;
    };
    return isJoined ? all() : inTransaction(sql, ['BEGIN ISOLATION LEVEL READ COMMITTED'], all);
  };
}

type Settle = (sql: Sql, settlements: readonly Settlement[]) => Promise<readonly WrittenLease[]>;

function settleKept(table: JobsTable, history: AttemptHistory): Settle {
  const [each, done] = [settleEach(table.quoted), settleDone(table.quoted)];
  const recorded = settleRecorded(table, history === 'all' ? '' : `WHERE status <> 'DONE'`);
  return async (sql, settlements) => {
    const outcomes = settlements.map(({ outcome }) => outcome);
    const leases = bindLeases(settlements);
    const workers = workersOf(settlements);
    const isRecorded = isAnyRecorded(history, outcomes);
    const result = isRecorded ? undefined : commonResult(outcomes);
    const [row] =
      result === undefined
        ? await sql.query(isRecorded ? recorded : each, [...leases, ...bindOutcomes(outcomes), workers])
        : await sql.query(done, [...leases, result.json, byteaOf(result.bytes), workers]);
    if (row!.part === null) return settlements;
    return (JSON.parse(row!.part as string) as Row[]).map(decodeLease);
  };
}

function settleDeleted(table: JobsTable): Settle {
  const statement = deleteSettled(table);
  return async (sql, settlements) =>
    (await sql.query(statement, [...bindLeases(settlements), workersOf(settlements)])).map(decodeLease);
}

const SENT_OUTCOMES = `sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens, $3::varchar[] AS statuses, $4::json[] AS results,
      $5::bytea[] AS results_bytes, $6::text[] AS last_errors, $7::float8[] AS delays_ms, $8::text[] AS reasons
  )`;

const SET_OUTCOME = `
    SET status = CASE WHEN job.cancel_requested_at IS NULL OR held.status = 'DONE' THEN held.status ELSE 'CANCELLED' END,
        cancel_reason = coalesce(job.cancel_reason, held.reason),
        result = held.result, result_bytes = held.result_bytes, last_error = coalesce(held.last_error, job.last_error),
        run_at = CASE WHEN held.delay_ms IS NULL THEN job.run_at ELSE now() + held.delay_ms * interval '1 millisecond' END,
        due = held.delay_ms IS NULL OR held.delay_ms = 0,
        attempts_done = least(job.attempts_done, ${MAX_COUNT - 1}) + 1, last_attempt_at = job.locked_at, updated_at = now(),
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false`;

/*
 * "part" lists what was written, and is NULL if that is all that was sent. A job that was asked to end while it ran ends
 * with whatever its handler has thrown.
 */
export const settleEach = (table: string) => `
  WITH ${SENT_OUTCOMES}, held AS MATERIALIZED (
    SELECT given.*
    FROM sent, unnest(sent.ids, sent.lease_tokens, sent.statuses, sent.results, sent.results_bytes, sent.last_errors,
      sent.delays_ms, sent.reasons) AS given(id, lease_token, status, result, result_bytes, last_error, delay_ms, reason)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($9::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  ), written AS (
    UPDATE ${table} AS job ${SET_OUTCOME}
    FROM held
    WHERE job.id = held.id
    RETURNING job.id, job.lease_token
  )
  SELECT CASE WHEN (SELECT count(*) FROM written) < cardinality($1::varchar[]) THEN
    (SELECT coalesce(json_agg(json_build_object('id', id, 'lease_token', lease_token)), '[]') FROM written)
  END::text AS part`;

/* The same where attempts are recorded. @param which of those that were written, as a condition */
export const settleRecorded = (table: JobsTable, which: string) => `
  WITH ${SENT_OUTCOMES}, held AS MATERIALIZED (
    SELECT given.*, job.locked_by AS worker
    FROM sent, unnest(sent.ids, sent.lease_tokens, sent.statuses, sent.results, sent.results_bytes, sent.last_errors,
      sent.delays_ms, sent.reasons) AS given(id, lease_token, status, result, result_bytes, last_error, delay_ms, reason)
    CROSS JOIN LATERAL (
      SELECT id, locked_by FROM ${table.quoted}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($9::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  ), written AS (
    UPDATE ${table.quoted} AS job ${SET_OUTCOME}
    FROM held
    WHERE job.id = held.id
    RETURNING job.id, job.lease_token, job.status, job.attempts_done, job.last_attempt_at, job.last_error, job.cancel_reason,
      job.run_at, held.worker
  ), ended AS (
    SELECT id, attempts_done AS attempt, worker, last_attempt_at AS started_at,
      CASE status WHEN 'PENDING' THEN 'retry' ELSE lower(status) END AS outcome,
      CASE status WHEN 'DONE' THEN NULL WHEN 'CANCELLED' THEN cancel_reason ELSE last_error END AS error,
      CASE status WHEN 'PENDING' THEN run_at END AS next_at
    FROM written ${which}
  ), ${recordEnded(table)}
  SELECT CASE WHEN (SELECT count(*) FROM written) < cardinality($1::varchar[]) THEN
    (SELECT coalesce(json_agg(json_build_object('id', id, 'lease_token', lease_token)), '[]') FROM written)
  END::text AS part`;

/*
 * The same for jobs that are done with one result, as those of handlers that return nothing. It takes two thirds of the work,
 * because nothing has to be joined. It goes by the ctid of the row version that has just been locked, see claim.ts. What
 * it asks of the row besides must not read as the condition of an index, or the planner would go through that index.
 */
export const settleDone = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens
  ), held AS MATERIALIZED (
    SELECT job.row_id
    FROM sent, unnest(sent.ids, sent.lease_tokens) AS given(id, lease_token)
    CROSS JOIN LATERAL (
      SELECT ctid AS row_id FROM ${table}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($5::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  ), written AS (
    UPDATE ${table}
    SET status = 'DONE', result = $3, result_bytes = $4,
        attempts_done = least(attempts_done, ${MAX_COUNT - 1}) + 1, last_attempt_at = locked_at, updated_at = now(),
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false
    WHERE ctid = ANY (ARRAY(SELECT row_id FROM held)) AND status = 'PENDING' AND (locked_by IS NULL) IS FALSE
    RETURNING id, lease_token
  )
  SELECT CASE WHEN (SELECT count(*) FROM written) < cardinality($1::varchar[]) THEN
    (SELECT coalesce(json_agg(json_build_object('id', id, 'lease_token', lease_token)), '[]') FROM written)
  END::text AS part`;

/* For jobs that are not kept. */
export const deleteSettled = (table: JobsTable) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens
  ), held AS MATERIALIZED (
    SELECT job.row_id
    FROM sent, unnest(sent.ids, sent.lease_tokens) AS given(id, lease_token)
    CROSS JOIN LATERAL (
      SELECT ctid AS row_id FROM ${table.quoted}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($3::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  ), deleted AS (
    DELETE FROM ${table.quoted}
    WHERE ctid = ANY (ARRAY(SELECT row_id FROM held)) AND status = 'PENDING' AND (locked_by IS NULL) IS FALSE
    RETURNING id, lease_token
  ), ${forgetDeleted(table)}
  SELECT id, lease_token FROM deleted`;

export function bindOutcomes(outcomes: readonly Outcome[]): unknown[] {
  const all = outcomes.map(outcomeColumns);
  const results = all.map(({ result }) => result);
  const resultsBytes = all.map(({ resultBytes }) => byteaOf(resultBytes));
  const lastErrors = all.map(({ lastError }) => lastError);
  const delays = all.map(({ delayMs }) => delayMs);
  const reasons = all.map(({ cancelReason }) => cancelReason);
  return [
    textArray(all.map(({ status }) => status)),
    unlessAll(null, results, textArray),
    unlessAll(null, resultsBytes, textArray),
    unlessAll(null, lastErrors, textArray),
    unlessAll(null, delays, numberArray),
    unlessAll(null, reasons, textArray),
  ];
}

/** The result of all jobs, where all are done with the same one. */
function commonResult(outcomes: readonly Outcome[]): StoredDocument | undefined {
  const [first] = outcomes;
  if (first?.type !== 'done') return undefined;
  const isSame = (outcome: Outcome) =>
    outcome.type === 'done' &&
    outcome.result.json === first.result.json &&
    outcome.result.bytes === first.result.bytes;
  return outcomes.every((outcome) => outcome === first || isSame(outcome)) ? first.result : undefined;
}

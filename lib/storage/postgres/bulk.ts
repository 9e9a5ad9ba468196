import { decodeSeenJob, type BulkDialect, type Reopening } from '../sql/bulk-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { numberArray, textArray } from './arrays.js';
import { forgetDeleted } from './forget.js';
import { instantOf } from './parameters.js';

export function bulk(table: JobsTable): BulkDialect {
  const statements = {
    see: seeAll(table.quoted),
    reopen: reopenAll(table.quoted),
    delete: deleteAll(table),
  };
  return {
    seeAll: async (sql, ids) => (await sql.query(statements.see, [textArray(ids)])).map(decodeSeenJob),
    reopenAll: async (sql, jobs) =>
      (await sql.query(statements.reopen, bindReopenings(jobs))).map(({ id }) => id as string),
    deleteAll: async (sql, ids, statuses) =>
      (await sql.query(statements.delete, [textArray(ids), textArray(statuses)])).length,
  };
}

function bindReopenings(jobs: readonly Reopening[]): unknown[] {
  return [
    textArray(jobs.map(({ seen }) => seen.id)),
    textArray(jobs.map(({ seen }) => seen.status)),
    numberArray(jobs.map(({ seen }) => seen.attemptsDone)),
    textArray(jobs.map(({ seen }) => seen.settings)),
    textArray(jobs.map(({ settings }) => settings)),
    textArray(jobs.map(({ runAtMs }) => (runAtMs === null ? null : instantOf(new Date(runAtMs))))),
    numberArray(jobs.map(({ delayMs }) => delayMs)),
  ];
}

/* The comment keeps pgpool from asking a standby, which may be behind. */
export const seeAll = (table: string) => `/*NO LOAD BALANCE*/
  SELECT id, kind, status, locked_by IS NOT NULL AS is_held, attempts_done, settings::text AS settings
  FROM ${table} WHERE id = ANY ($1::varchar[])`;

export const reopenAll = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::varchar[] AS statuses, $3::int4[] AS counts, $4::text[] AS seen, $5::json[] AS settings,
      $6::timestamptz[] AS instants, $7::float8[] AS delays
  ), given AS MATERIALIZED (
    SELECT given.id, given.settings,
      coalesce(given.run_at, statement_timestamp() + given.delay_ms * interval '1 millisecond') AS run_at
    FROM sent, unnest(sent.ids, sent.statuses, sent.counts, sent.seen, sent.settings, sent.instants, sent.delays)
      AS given(id, status, attempts_done, seen, settings, run_at, delay_ms)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table} AS job
      WHERE job.id = given.id AND job.status = given.status AND job.attempts_done = given.attempts_done
        AND job.settings::text IS NOT DISTINCT FROM given.seen
      FOR UPDATE
    ) AS locked
  )
  UPDATE ${table} AS job
  SET status = 'PENDING', run_at = given.run_at, due = given.run_at <= statement_timestamp(), crashes = 0,
      settings = given.settings, progress = NULL, cancel_requested_at = NULL, cancel_reason = NULL, updated_at = now()
  FROM given
  WHERE job.id = given.id
  RETURNING job.id`;

export const deleteAll = (table: JobsTable) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids
  ), locked AS MATERIALIZED (
    SELECT job.id FROM sent, unnest(sent.ids) AS given(id)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table.quoted}
      WHERE id = given.id AND status = ANY ($2::varchar[]) AND (status <> 'PENDING' OR locked_by IS NULL)
      FOR UPDATE
    ) AS job
  ), deleted AS (
    DELETE FROM ${table.quoted} WHERE id = ANY (ARRAY(SELECT id FROM locked)) RETURNING id
  ), ${forgetDeleted(table)}
  SELECT id FROM deleted`;

import { step } from '../../async/work.js';
import { sweptKeys, SWEPT_AT_ONCE, type UniqueDialect } from '../sql/unique-dialect.js';
import { decodeLockedKey } from '../sql/key-row.js';
import type { Sql } from '../sql/sql.js';
import type { WantedKey } from '../sql/unique-plan.js';
import { ask, type UniqueSteps } from '../sql/unique-work.js';
import { numberArray, textArray } from './arrays.js';

export function keySteps(table: string): (sql: Sql) => Pick<UniqueSteps, 'lockKeys' | 'hold'> {
  const statements = { lock: lockKeys(table), hold: holdKeys(table) };
  return (sql) => ({
    lockKeys: (keys) =>
      ask(sql.query(statements.lock, bindKeys(keys), { isFrequent: true }), decodeLockedKey),
    hold: (keys) => step(sql.query(statements.hold, bindKeys(keys), { isFrequent: true })),
  });
}

/*
 * Two transactions that enqueue the same key go one after the other: the later one waits here until the first has ended.
 * The update changes nothing, and is there for the lock. DO NOTHING would not wait for one that is about to change the row.
 * A conflict is no error here, so it does not abort the caller's transaction. The rows are sent in ascending order.
 */
export const lockKeys = (table: string) => `
  INSERT INTO ${table} AS held (kind, unique_key, job_id, held_while, until)
  SELECT given.kind, given.unique_key, given.job_id, given.held_while,
    clock_timestamp() + given.for_ms * interval '1 millisecond'
  FROM unnest($1::varchar[], $2::varchar[], $3::varchar[], $4::varchar[], $5::float8[])
    AS given(kind, unique_key, job_id, held_while, for_ms)
  ON CONFLICT (kind, unique_key) DO UPDATE SET job_id = held.job_id
  RETURNING kind, unique_key, job_id, held_while, (until > clock_timestamp())::int AS is_in_window`;

export const holdKeys = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS kinds, $2::varchar[] AS keys, $3::varchar[] AS ids, $4::varchar[] AS whiles, $5::float8[] AS times
  )
  UPDATE ${table} AS held
  SET job_id = given.job_id, held_while = given.held_while,
      until = clock_timestamp() + given.for_ms * interval '1 millisecond'
  FROM sent, unnest(sent.kinds, sent.keys, sent.ids, sent.whiles, sent.times)
    AS given(kind, unique_key, job_id, held_while, for_ms)
  WHERE held.kind = given.kind AND held.unique_key = given.unique_key`;

function bindKeys(keys: readonly WantedKey[]): unknown[] {
  return [
    textArray(keys.map(({ kind }) => kind)),
    textArray(keys.map(({ key }) => key)),
    textArray(keys.map(({ jobId }) => jobId)),
    textArray(keys.map((key) => key.while)),
    numberArray(keys.map(({ forMs }) => forMs)),
  ];
}

export function sweepKeys(table: string, jobs: string): UniqueDialect['sweep'] {
  const statement = sweep(table, jobs);
  return async (sql, after) => {
    const [row] = await sql.query(statement, [after?.kind ?? '', after?.key ?? '']);
    const last = { kind: row!.kind as string, key: row!.unique_key as string };
    return sweptKeys(Number(row!.read), Number(row!.deleted), last);
  };
}

/*
 * A key that another transaction has changed since this statement began is left alone: its job may not be visible here. A
 * job that runs for the first time may be given back, and then it waits again.
 */
export const sweep = (table: string, jobs: string) => `
  WITH part AS MATERIALIZED (
    SELECT ctid AS row_id, kind, unique_key, job_id, held_while, until FROM ${table}
    WHERE (kind, unique_key) > ($1::varchar, $2::varchar) ORDER BY kind, unique_key LIMIT ${SWEPT_AT_ONCE}
  ), free AS MATERIALIZED (
    SELECT part.* FROM part
    LEFT JOIN LATERAL (SELECT status, attempts_done FROM ${jobs} WHERE id = part.job_id OFFSET 0) AS job ON true
    WHERE job.status IS NULL OR CASE part.held_while
      WHEN 'waiting' THEN job.status <> 'PENDING' OR job.attempts_done > 0
      WHEN 'unsettled' THEN job.status <> 'PENDING'
      ELSE part.until <= now()
    END
  ), locked AS MATERIALIZED (
    SELECT held.row_id FROM free CROSS JOIN LATERAL (
      SELECT ctid AS row_id FROM ${table}
      WHERE ctid = free.row_id AND job_id = free.job_id AND until IS NOT DISTINCT FROM free.until
      FOR UPDATE SKIP LOCKED
    ) AS held
  ), deleted AS (
    DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT row_id FROM locked)) RETURNING 1
  )
  SELECT (SELECT count(*) FROM part) AS read, (SELECT count(*) FROM deleted) AS deleted, last.kind, last.unique_key
  FROM (SELECT 1) AS one
  LEFT JOIN LATERAL (SELECT kind, unique_key FROM part ORDER BY kind DESC, unique_key DESC LIMIT 1) AS last ON true`;

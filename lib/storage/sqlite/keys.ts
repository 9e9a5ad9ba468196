import { step } from '../../async/work.js';
import { decodeLockedKey } from '../sql/key-row.js';
import { sweptKeys, SWEPT_AT_ONCE, type UniqueDialect } from '../sql/unique-dialect.js';
import type { WantedKey } from '../sql/unique-plan.js';
import { ask, type UniqueSteps } from '../sql/unique-work.js';
import type { Query } from './connection.js';

export function keySteps(table: string): (query: Query) => Pick<UniqueSteps, 'lockKeys' | 'hold'> {
  const statements = { lock: lockKeys(table), hold: holdKey(table) };
  return (query) => ({
    lockKeys: (keys) => ask(query(statements.lock, [JSON.stringify(keys)]), decodeLockedKey),
    *hold(keys) {
      for (const key of keys) yield* step(query(statements.hold, bindKey(key)));
    },
  });
}

const until = (forMs: string) => `strftime('%Y-%m-%d %H:%M:%f', 'now', (${forMs} / 1000.0) || ' seconds')`;

/* The update changes nothing. It is a write, and with that the transaction has the lock. */
export const lockKeys = (table: string) => `
  INSERT INTO ${table} (kind, unique_key, job_id, held_while, until)
  SELECT value ->> 'kind', value ->> 'key', value ->> 'jobId', value ->> 'while', ${until(`(value ->> 'forMs')`)}
  FROM json_each(?)
  WHERE true
  ON CONFLICT (kind, unique_key) DO UPDATE SET job_id = job_id
  RETURNING kind, unique_key, job_id, held_while, until > strftime('%Y-%m-%d %H:%M:%f', 'now') AS is_in_window`;

export const holdKey = (table: string) => `
  UPDATE ${table} SET job_id = ?, held_while = ?, until = ${until('?')} WHERE kind = ? AND unique_key = ?`;

function bindKey({ kind, key, jobId, while: held, forMs }: WantedKey): unknown[] {
  return [jobId, held, forMs, kind, key];
}

export function sweepKeys(table: string, jobs: string): UniqueDialect['sweep'] {
  const statements = { look: lookAtKeys(table), sweep: sweep(table, jobs) };
  return async (sql, after) => {
    const from = [after?.kind ?? '', after?.key ?? ''];
    const [part] = await sql.query(statements.look, from);
    const read = Number(part!.read);
    if (read === 0) return sweptKeys(0, 0, null);
    const last = { kind: part!.kind as string, key: part!.unique_key as string };
    const deleted = await sql.query(statements.sweep, [...from, last.kind, last.key]);
    return sweptKeys(read, deleted.length, last);
  };
}

export const lookAtKeys = (table: string) => `
  WITH part AS MATERIALIZED (
    SELECT kind, unique_key FROM ${table} WHERE (kind, unique_key) > (?, ?) ORDER BY kind, unique_key LIMIT ${SWEPT_AT_ONCE}
  )
  SELECT (SELECT count(*) FROM part) AS read, last.kind, last.unique_key
  FROM (SELECT 1) LEFT JOIN (SELECT * FROM part ORDER BY kind DESC, unique_key DESC LIMIT 1) AS last ON true`;

/* A job that runs for the first time may be given back, and then it waits again. */
export const sweep = (table: string, jobs: string) => `
  DELETE FROM ${table}
  WHERE (kind, unique_key) > (?, ?) AND (kind, unique_key) <= (?, ?) AND NOT EXISTS (
    SELECT 1 FROM ${jobs} AS job WHERE job.id = job_id AND CASE held_while
      WHEN 'waiting' THEN job.status = 'PENDING' AND job.attempts_done = 0
      WHEN 'unsettled' THEN job.status = 'PENDING'
      ELSE until > strftime('%Y-%m-%d %H:%M:%f', 'now')
    END
  )
  RETURNING kind`;

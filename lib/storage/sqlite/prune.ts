import type { JobsTable } from '../sql/dialect.js';
import { ageRules, GENERAL, type RetentionDialect } from '../sql/retention-dialect.js';
import { PRUNED_AT_ONCE, READ_AT_ONCE } from '../sql/row-limits.js';
import { forgetJobs } from './forget.js';

/** Beyond every rowid. */
const END = Number.MAX_SAFE_INTEGER;

/**
 * The positions of this walk are rowids: the order in which rows lie in the file. What is stored beside the jobs goes
 * first, so that nothing of it stays behind if the process ends in between.
 */
export function prune(table: JobsTable): RetentionDialect['prune'] {
  const { quoted } = table;
  const statements = {
    look: lookForExpired(quoted),
    find: findExpired(quoted),
    delete: deleteExpired(quoted),
  };
  const forget = forgetJobs(table);
  return async (sql, retention, { from, until }) => {
    const rules = JSON.stringify(ageRules(retention));
    const kinds = JSON.stringify([...retention.own.keys()]);
    const start = Number(from ?? 0);
    const [part] = await sql.query(statements.look, [kinds, rules, start, Number(until ?? END)]);
    const read = Number(part!.read);
    const now = Number(part!.now);
    const end = read < READ_AT_ONCE ? null : String(part!.reached);
    const nextAt = part!.next_at === null ? null : Number(part!.next_at);
    if (Number(part!.expired) === 0) return { read, deleted: 0, reached: end, nextAt, now };
    const expired = await sql.query(statements.find, [kinds, rules, start, Number(part!.reached), now]);
    const ids = JSON.stringify(expired.map(({ id }) => id));
    await forget(sql, ids);
    const rows = JSON.stringify(expired.map(({ id, updated_at }) => [id, updated_at]));
    const deleted = (await sql.query(statements.delete, [rows])).length;
    const isWhole = expired.length < PRUNED_AT_ONCE;
    return {
      read,
      deleted,
      reached: isWhole ? end : String(expired.at(-1)!.place),
      nextAt: deleted < expired.length ? now : nextAt,
      now,
    };
  };
}

/* When each row of a part is to go, in milliseconds since 1970: NULL for one that is kept for good. */
const partOf = (table: string) => `
  own AS MATERIALIZED (
    SELECT value AS kind FROM json_each(?)
  ), rule AS MATERIALIZED (
    SELECT value ->> 'kind' AS kind, value ->> 'status' AS status, value ->> 'ageMs' AS age_ms FROM json_each(?)
  ), part AS MATERIALIZED (
    SELECT job.place, job.id, job.updated_at, unixepoch(job.updated_at, 'subsec') * 1000 + rule.age_ms AS expires_at
    FROM (
      SELECT rowid AS place, id, kind, status, updated_at FROM ${table}
      WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ${READ_AT_ONCE}
    ) AS job
    LEFT JOIN own ON own.kind = job.kind
    LEFT JOIN rule ON rule.kind = coalesce(own.kind, '${GENERAL}') AND rule.status = job.status
  )`;

export const lookForExpired = (table: string) => `
  WITH ${partOf(table)}, clock AS MATERIALIZED (
    SELECT unixepoch('now', 'subsec') * 1000 AS now
  )
  SELECT count(place) AS read, max(place) AS reached, coalesce(sum(expires_at <= now), 0) AS expired,
    min(iif(expires_at > now, expires_at, NULL)) AS next_at, now
  FROM clock LEFT JOIN part ON true`;

export const findExpired = (table: string) => `
  WITH ${partOf(table)}
  SELECT place, id, updated_at FROM part WHERE expires_at <= ? ORDER BY place LIMIT ${PRUNED_AT_ONCE}`;

/* Only rows that are still as they were read. */
export const deleteExpired = (table: string) => `
  DELETE FROM ${table}
  WHERE (id, updated_at) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?)) AND status <> 'PENDING'
  RETURNING id`;

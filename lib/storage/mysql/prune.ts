import type { Retention } from '../../job/retention.js';
import type { JobsTable } from '../sql/dialect.js';
import type { RetentionDialect } from '../sql/retention-dialect.js';
import { PRUNED_AT_ONCE, READ_AT_ONCE } from '../sql/row-limits.js';
import { jobsDeleter } from './delete-jobs.js';
import { listOf } from './parameters.js';
import type { MysqlServer } from './server.js';
import { inOwnTransaction } from './transaction.js';

/**
 * The positions of this walk are ids: the order in which rows lie in the table. It reads without locks, and then locks the
 * rows that are to go, one by one: a locking read of the whole part would make claims pass over ready jobs in it.
 */
export function prune(table: JobsTable, server: MysqlServer): RetentionDialect['prune'] {
  const { quoted } = table;
  const statements = { look: lookForExpired(quoted), find: findExpired(quoted), lock: lockExpired(quoted) };
  const deleteJobs = jobsDeleter(table, server);
  return async (sql, retention, { from, until }) => {
    const ages = bindAges(retention);
    const start = from ?? '';
    const [part] = await sql.query(statements.look, [...ages, start, until, until]);
    const read = Number(part!.read);
    const now = Number(part!.now);
    const end = read < READ_AT_ONCE ? null : (part!.reached as string);
    const nextAt = part!.next_at === null ? null : Number(part!.next_at);
    if (Number(part!.expired) === 0) return { read, deleted: 0, reached: end, nextAt, now };
    const expired = await sql.query(statements.find, [...ages, start, part!.reached, part!.reached, now]);
    const ageOf = new Map(expired.map(({ id, changed }) => [id as string, Number(changed)]));
    const deleted = await inOwnTransaction(sql, async () => {
      const locked = await sql.query(statements.lock, [[...ageOf.keys()]]);
      const ids = locked
        .filter(({ id, changed }) => ageOf.get(id as string) === Number(changed))
        .map(({ id }) => id as string);
      if (ids.length > 0) await deleteJobs(sql, ids);
      return ids.length;
    });
    const isWhole = expired.length < PRUNED_AT_ONCE;
    return {
      read,
      deleted,
      reached: isWhole ? end : (expired.at(-1)!.id as string),
      nextAt: deleted < expired.length ? now : nextAt,
      now,
    };
  };
}

const millisOf = (instant: string) => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${instant}) / 1000`;

/*
 * When each row of a part is to go, in milliseconds since 1970: NULL for one that is kept for good. The age is looked up in
 * a JSON object by a path, once for each row because of the LIMIT. To join a JSON_TABLE takes five times as long, because the
 * server makes it again for each row. In the path a kind is written in hexadecimal, so that no character of it means anything there.
 */
const partOf = (table: string) => `
  SELECT id, ${millisOf('updated_at')} AS changed,
    ${millisOf('updated_at')} + CAST(
      JSON_EXTRACT(?, CONCAT('$."', IF(kind IN (?), HEX(kind), '${GENERAL_KEY}'), '"."', status, '"')) AS decimal(20)
    ) AS expires_at
  FROM ${table} FORCE INDEX (PRIMARY)
  WHERE id > ? AND (? IS NULL OR id <= ?) ORDER BY id LIMIT ${READ_AT_ONCE}`;

/** No hexadecimal number. */
const GENERAL_KEY = 'general';

function bindAges(retention: Retention): [ages: string, kinds: readonly (string | null)[]] {
  const { general, own } = retention;
  const ages = [...own].map(([kind, ofKind]) => [Buffer.from(kind).toString('hex').toUpperCase(), ofKind]);
  return [JSON.stringify(Object.fromEntries([[GENERAL_KEY, general], ...ages])), listOf([...own.keys()])];
}

export const lookForExpired = (table: string) => `
  SELECT COUNT(id) AS \`read\`, MAX(id) AS reached, COALESCE(SUM(expires_at <= clock.now), 0) AS expired,
    MIN(IF(expires_at > clock.now, expires_at, NULL)) AS next_at, MAX(clock.now) AS now
  FROM (SELECT ${millisOf('UTC_TIMESTAMP(6)')} AS now) AS clock
  LEFT JOIN (${partOf(table)}) AS part ON TRUE`;

export const findExpired = (table: string) => `
  SELECT id, changed FROM (${partOf(table)}) AS part WHERE expires_at <= ? ORDER BY id LIMIT ${PRUNED_AT_ONCE}`;

export const lockExpired = (table: string) => `
  SELECT id, ${millisOf('updated_at')} AS changed FROM ${table} FORCE INDEX (PRIMARY)
  WHERE id IN (?) AND status <> 'PENDING'
  ORDER BY id
  FOR UPDATE SKIP LOCKED`;

import { step } from '../../async/work.js';
import type { KeyPosition } from '../../queue/unique-job-store.js';
import { decodeLockedKey } from '../sql/key-row.js';
import type { Sql } from '../sql/sql.js';
import { sweptKeys, SWEPT_AT_ONCE, type UniqueDialect } from '../sql/unique-dialect.js';
import type { LockedKey, WantedKey } from '../sql/unique-plan.js';
import { ask, type UniqueSteps } from '../sql/unique-work.js';
import { inOwnTransaction } from './transaction.js';

/** How many keys one statement names. */
const KEYS_AT_ONCE = 500;

export function keySteps(table: string): (sql: Sql) => Pick<UniqueSteps, 'lockKeys' | 'hold'> {
  return (sql) => ({
    *lockKeys(keys) {
      const locked: LockedKey[] = [];
      for (const part of inLists(keys)) {
        yield* step(sql.query(makeKeys(table, part.length), part.flatMap(bindKey)));
        locked.push(...(yield* ask(sql.query(lockKeys(table, part.length), places(part)), decodeLockedKey)));
      }
      return locked;
    },
    *hold(keys) {
      for (const { kind, key, jobId, while: held, forMs } of keys)
        yield* step(sql.query(holdKey(table), [jobId, held, microsOf(forMs), kind, key]));
    },
  });
}

/** Whose keys these were when the snapshot of the transaction began. */
export async function holdersInSnapshot(
  sql: Sql,
  table: string,
  keys: readonly KeyPosition[],
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const part of inLists(keys))
    for (const { job_id } of await sql.query(seeKeys(table, part.length), places(part)))
      ids.add(job_id as string);
  return ids;
}

/* The update changes nothing, and is there for the lock. The driver hides which rows were new. */
export const makeKeys = (table: string, count: number) => `
  INSERT INTO ${table} (kind, unique_key, job_id, held_while, until)
  VALUES ${listOf('(?, ?, ?, ?, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)', count, ', ')}
  ON DUPLICATE KEY UPDATE job_id = job_id`;

/* It reads what is committed, whatever the snapshot of the transaction of the caller. */
export const lockKeys = (table: string, count: number) => `
  SELECT kind, unique_key, job_id, held_while, until > UTC_TIMESTAMP(6) AS is_in_window
  FROM ${table} FORCE INDEX (PRIMARY)
  WHERE ${isOneOf(count)}
  ORDER BY kind, unique_key
  FOR UPDATE`;

export const seeKeys = (table: string, count: number) =>
  `SELECT job_id FROM ${table} FORCE INDEX (PRIMARY) WHERE ${isOneOf(count)}`;

export const holdKey = (table: string) => `
  UPDATE ${table}
  SET job_id = ?, held_while = ?, until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
  WHERE kind = ? AND unique_key = ?`;

export function sweepKeys(table: string, jobs: string): UniqueDialect['sweep'] {
  return async (sql, after) => {
    const place = [after?.kind ?? '', after?.kind ?? '', after?.key ?? ''];
    const rows = await sql.query(lookForFree(table, jobs), place);
    const last = rows.at(-1);
    const position = last === undefined ? null : positionOf(last);
    const free = rows.filter((row) => Number(row.is_free) === 1);
    let deleted = 0;
    for (const part of inLists(free.map((row) => ({ ...positionOf(row), version: versionOf(row) }))))
      deleted += await inOwnTransaction(sql, async () => {
        const locked = await sql.query(lockFree(table, part.length), places(part));
        const versions = new Set(locked.map(versionOf));
        const same = part.filter(({ version }) => versions.has(version));
        if (same.length > 0) await sql.query(deleteKeys(table, same.length), places(same));
        return same.length;
      });
    return sweptKeys(rows.length, deleted, position);
  };
}

/* A job that runs for the first time may be given back, and then it waits again. */
export const lookForFree = (table: string, jobs: string) => `
  SELECT part.*, job.id IS NULL OR CASE part.held_while
      WHEN 'waiting' THEN job.status <> 'PENDING' OR job.attempts_done > 0
      WHEN 'unsettled' THEN job.status <> 'PENDING'
      ELSE part.until <= UTC_TIMESTAMP(6)
    END AS is_free
  FROM (
    SELECT kind, unique_key, job_id, held_while, until FROM ${table} FORCE INDEX (PRIMARY)
    WHERE kind > ? OR (kind = ? AND unique_key > ?)
    ORDER BY kind, unique_key LIMIT ${SWEPT_AT_ONCE}
  ) AS part
  LEFT JOIN ${jobs} AS job ON job.id = part.job_id
  ORDER BY part.kind, part.unique_key`;

export const lockFree = (table: string, count: number) => `
  SELECT kind, unique_key, job_id, until FROM ${table} FORCE INDEX (PRIMARY) WHERE ${isOneOf(count)}
  ORDER BY kind, unique_key
  FOR UPDATE SKIP LOCKED`;

export const deleteKeys = (table: string, count: number) => `DELETE FROM ${table} WHERE ${isOneOf(count)}`;

interface KeyRow {
  readonly kind?: unknown;
  readonly unique_key?: unknown;
  readonly job_id?: unknown;
  readonly until?: unknown;
}

function positionOf({ kind, unique_key }: KeyRow): KeyPosition {
  return { kind: kind as string, key: unique_key as string };
}

/** The same for a row that nothing has changed. */
function versionOf({ kind, unique_key, job_id, until }: KeyRow): string {
  return JSON.stringify([kind, unique_key, job_id, until]);
}

function bindKey({ kind, key, jobId, while: held, forMs }: WantedKey): unknown[] {
  return [kind, key, jobId, held, microsOf(forMs)];
}

function microsOf(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000);
}

function places(keys: readonly KeyPosition[]): string[] {
  return keys.flatMap(({ kind, key }) => [kind, key]);
}

function isOneOf(count: number): string {
  return listOf('(kind = ? AND unique_key = ?)', count, ' OR ');
}

function listOf(part: string, count: number, separator: string): string {
  return Array.from({ length: count }, () => part).join(separator);
}

function inLists<T>(all: readonly T[]): T[][] {
  const lists: T[][] = [];
  for (let start = 0; start < all.length; start += KEYS_AT_ONCE)
    lists.push(all.slice(start, start + KEYS_AT_ONCE));
  return lists;
}

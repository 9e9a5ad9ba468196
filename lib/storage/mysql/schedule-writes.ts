import type { ScheduleWrite } from '../../queue/schedule-store.js';
import type { ScheduleWrites } from '../sql/schedules-dialect.js';
import type { Row, Sql } from '../sql/sql.js';
import { duplicateIdIn } from './errors.js';
import { instantOf, listOf } from './parameters.js';
import { inOwnTransaction } from './transaction.js';

/** How many rows a statement wrote does not come back through every connection. So each write locks its row and looks. */
export function scheduleWrites(table: string): ScheduleWrites {
  const statements = {
    insert: insertSchedule(table),
    update: updateSchedule(table),
    pause: pause(table),
    resume: resume(table),
    delete: deleteSchedule(table),
    setLastJob: setLastJob(table),
  };
  const withRow = rowLock(table);
  return {
    ...declarationWrites(table),
    save: (sql, given, isJoined) => {
      const { name, revision } = given;
      if (revision === null) return inserted(sql, statements.insert, bindSchedule(given));
      return withRow(sql, name, isJoined, async (row) => {
        if (Number(row.revision) !== revision) return false;
        return sent(sql, statements.update, [...bindSchedule(given).slice(1), name]);
      });
    },
    pause: (sql, name, reason, isJoined) =>
      withRow(sql, name, isJoined, () => sent(sql, statements.pause, [reason, name])),
    resume: (sql, { name, revision, nextAt, catchUp, dropsQueued }, isJoined) =>
      withRow(sql, name, isJoined, async (row) => {
        if (Number(row.revision) !== revision || row.paused_at === null) return false;
        return sent(sql, statements.resume, [instantOf(nextAt), catchUp, dropsQueued, name]);
      }),
    delete: (sql, name, isJoined) => withRow(sql, name, isJoined, () => sent(sql, statements.delete, [name])),
    setLastJob: async (sql, name, jobId) => {
      await sql.query(statements.setLastJob, [jobId, name]);
    },
  };
}

function declarationWrites(table: string): Pick<ScheduleWrites, 'seen' | 'expire'> {
  const statements = {
    lockDeclared: lockDeclared(table),
    seen: seen(table),
    lockExpired: lockExpired(table),
    delete: deleteMany(table),
  };
  return {
    seen: (sql, names, { declaredAt, declaredBy }) =>
      inOwnTransaction(sql, async () => {
        const found = namesOf(await sql.query(statements.lockDeclared, [listOf(names)]));
        const at = instantOf(declaredAt);
        if (found.length > 0) await sql.query(statements.seen, [at, declaredBy, at, found]);
        return found;
      }),
    expire: (sql, ms) =>
      inOwnTransaction(sql, async () => {
        const found = namesOf(await sql.query(statements.lockExpired, [ms * 1000]));
        if (found.length > 0) await sql.query(statements.delete, [found]);
        return found;
      }),
  };
}

type WriteRow = (row: Row) => Promise<boolean>;

/** Locks the row of a schedule and calls `write`, where there is one. */
function rowLock(table: string) {
  const statement = lockRow(table);
  return (sql: Sql, name: string, isJoined: boolean, write: WriteRow): Promise<boolean> => {
    const lockAndWrite = async () => {
      const [row] = await sql.query(statement, [name]);
      return row !== undefined && (await write(row));
    };
    return isJoined ? lockAndWrite() : inOwnTransaction(sql, lockAndWrite);
  };
}

async function sent(sql: Sql, statement: string, parameters: readonly unknown[]): Promise<boolean> {
  await sql.query(statement, parameters);
  return true;
}

export const lockRow = (table: string) =>
  `SELECT revision, paused_at FROM ${table} WHERE name = ? FOR UPDATE`;

export const insertSchedule = (table: string) => `
  INSERT INTO ${table} (name, kind, rule, payload, anchor_at, next_at, declared_at, declared_by, seen_at, created_at, updated_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))`;

export const updateSchedule = (table: string) => `
  UPDATE ${table}
  SET kind = ?, rule = ?, payload = ?, anchor_at = ?, next_at = ?, declared_at = ?, declared_by = ?,
      seen_at = UTC_TIMESTAMP(6), revision = revision + 1, updated_at = UTC_TIMESTAMP(6)
  WHERE name = ?`;

export const pause = (table: string) => `
  UPDATE ${table}
  SET paused_at = COALESCE(paused_at, UTC_TIMESTAMP(6)), paused_reason = ?, updated_at = UTC_TIMESTAMP(6)
  WHERE name = ?`;

export const resume = (table: string) => `
  UPDATE ${table}
  SET paused_at = NULL, paused_reason = NULL, next_at = ?, catch_up = ?, queued_tick = IF(?, NULL, queued_tick),
      revision = revision + 1, updated_at = UTC_TIMESTAMP(6)
  WHERE name = ?`;

export const deleteSchedule = (table: string) => `DELETE FROM ${table} WHERE name = ?`;

export const setLastJob = (table: string) => `
  UPDATE ${table} SET last_job_id = ?, updated_at = UTC_TIMESTAMP(6) WHERE name = ?`;

export const lockDeclared = (table: string) => `
  SELECT name FROM ${table} WHERE name IN (?) AND declared_at IS NOT NULL ORDER BY name FOR UPDATE`;

/* Assignments are carried out from left to right. */
export const seen = (table: string) => `
  UPDATE ${table}
  SET seen_at = UTC_TIMESTAMP(6), declared_by = IF(declared_at < ?, ?, declared_by), declared_at = GREATEST(declared_at, ?)
  WHERE name IN (?)`;

export const lockExpired = (table: string) => `
  SELECT name FROM ${table}
  WHERE declared_at IS NOT NULL AND seen_at < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
  ORDER BY name FOR UPDATE SKIP LOCKED`;

export const deleteMany = (table: string) => `DELETE FROM ${table} WHERE name IN (?)`;

/** A refused insert leaves a transaction of the caller's intact. */
async function inserted(sql: Sql, statement: string, parameters: readonly unknown[]): Promise<boolean> {
  try {
    await sql.query(statement, parameters);
    return true;
  } catch (error) {
    if (duplicateIdIn(error) === null) throw error;
    return false;
  }
}

function bindSchedule(write: ScheduleWrite): unknown[] {
  const { name, kind, rule, payload, anchorAt, nextAt, declaredAt, declaredBy } = write;
  const instants = [instantOf(anchorAt), instantOf(nextAt), instantOf(declaredAt)];
  return [name, kind, rule, payload, ...instants, declaredBy];
}

function namesOf(rows: readonly Row[]): string[] {
  return rows.map(({ name }) => name as string);
}

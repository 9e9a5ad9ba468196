import type { ScheduleWrite } from '../../queue/schedule-store.js';
import type { ScheduleWrites } from '../sql/schedules-dialect.js';
import { instantOf } from './parameters.js';

/** Each write is one statement. The names of the rows that it wrote tell whether it wrote any. */
export function scheduleWrites(table: string): ScheduleWrites {
  const statements = {
    insert: insertSchedule(table),
    update: updateSchedule(table),
    pause: pause(table),
    resume: resume(table),
    delete: deleteSchedule(table),
    setLastJob: setLastJob(table),
    seen: seen(table),
    expire: expire(table),
  };
  return {
    save: async (sql, write) => {
      const { name, revision } = write;
      const rows =
        revision === null
          ? await sql.query(statements.insert, bindSchedule(write))
          : await sql.query(statements.update, [...bindSchedule(write).slice(1), name, revision]);
      return rows.length > 0;
    },
    pause: async (sql, name, reason) => (await sql.query(statements.pause, [reason, name])).length > 0,
    resume: async (sql, { name, revision, nextAt, catchUp, dropsQueued }) => {
      const parameters = [instantOf(nextAt), catchUp, dropsQueued, name, revision];
      return (await sql.query(statements.resume, parameters)).length > 0;
    },
    delete: async (sql, name) => (await sql.query(statements.delete, [name])).length > 0,
    setLastJob: async (sql, name, jobId) => {
      await sql.query(statements.setLastJob, [jobId, name]);
    },
    seen: async (sql, names, { declaredAt, declaredBy }) => {
      const at = instantOf(declaredAt);
      return namesOf(await sql.query(statements.seen, [at, at, declaredBy, JSON.stringify(names)]));
    },
    expire: async (sql, ms) => namesOf(await sql.query(statements.expire, [-ms / 1000])),
  };
}

export const insertSchedule = (table: string) => `
  INSERT INTO ${table} (name, kind, rule, payload, anchor_at, next_at, declared_at, declared_by, seen_at, created_at, updated_at)
  SELECT ?, ?, ?, ?, ?, ?, ?, ?, now, now, now FROM (SELECT strftime('%Y-%m-%d %H:%M:%f', 'now') AS now) WHERE true
  ON CONFLICT (name) DO NOTHING
  RETURNING name`;

export const updateSchedule = (table: string) => `
  UPDATE ${table}
  SET kind = ?, rule = ?, payload = ?, anchor_at = ?, next_at = ?, declared_at = ?, declared_by = ?,
      seen_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), revision = revision + 1,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE name = ? AND revision = ?
  RETURNING name`;

export const pause = (table: string) => `
  UPDATE ${table}
  SET paused_at = coalesce(paused_at, strftime('%Y-%m-%d %H:%M:%f', 'now')), paused_reason = ?,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE name = ?
  RETURNING name`;

export const resume = (table: string) => `
  UPDATE ${table}
  SET paused_at = NULL, paused_reason = NULL, next_at = ?, catch_up = ?, queued_tick = iif(?, NULL, queued_tick),
      revision = revision + 1, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE name = ? AND revision = ? AND paused_at IS NOT NULL
  RETURNING name`;

export const deleteSchedule = (table: string) => `DELETE FROM ${table} WHERE name = ? RETURNING name`;

export const setLastJob = (table: string) => `
  UPDATE ${table} SET last_job_id = ?, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE name = ?`;

export const seen = (table: string) => `
  UPDATE ${table}
  SET seen_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), declared_at = max(declared_at, ?),
      declared_by = iif(declared_at < ?, ?, declared_by)
  WHERE name IN (SELECT value FROM json_each(?)) AND declared_at IS NOT NULL
  RETURNING name`;

export const expire = (table: string) => `
  DELETE FROM ${table}
  WHERE declared_at IS NOT NULL AND seen_at < strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds')
  RETURNING name`;

function bindSchedule(write: ScheduleWrite): unknown[] {
  const { name, kind, rule, payload, anchorAt, nextAt, declaredAt, declaredBy } = write;
  const instants = [instantOf(anchorAt), instantOf(nextAt), instantOf(declaredAt)];
  return [name, kind, rule, payload, ...instants, declaredBy];
}

function namesOf(rows: readonly { readonly name?: unknown }[]): string[] {
  return rows.map(({ name }) => name as string);
}

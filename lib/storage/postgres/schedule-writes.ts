import type { ScheduleWrite } from '../../queue/schedule-store.js';
import type { ScheduleWrites } from '../sql/schedules-dialect.js';
import { textArray } from './arrays.js';
import { asciiText } from './ascii.js';
import { instantOf } from './parameters.js';

/** The names of the rows that a statement wrote tell whether it wrote any. */
export function scheduleWrites(table: string, isUnicode: boolean): ScheduleWrites {
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
  const textOf = isUnicode ? <T extends string | null>(text: T) => text : asciiText;
  return {
    save: async (sql, write) => {
      const { revision } = write;
      const row = bindSchedule({ ...write, rule: textOf(write.rule), payload: textOf(write.payload) });
      const rows =
        revision === null
          ? await sql.query(statements.insert, row)
          : await sql.query(statements.update, [...row, revision]);
      return rows.length > 0;
    },
    pause: async (sql, name, reason) => (await sql.query(statements.pause, [name, reason])).length > 0,
    resume: async (sql, { name, revision, nextAt, catchUp, dropsQueued }) => {
      const parameters = [name, revision, instantOf(nextAt), catchUp, dropsQueued];
      return (await sql.query(statements.resume, parameters)).length > 0;
    },
    delete: async (sql, name) => (await sql.query(statements.delete, [name])).length > 0,
    setLastJob: async (sql, name, jobId) => {
      await sql.query(statements.setLastJob, [name, jobId]);
    },
    seen: async (sql, names, { declaredAt, declaredBy }) => {
      const parameters = [textArray(names), instantOf(declaredAt), declaredBy];
      return namesOf(await sql.query(statements.seen, parameters));
    },
    expire: async (sql, ms) => namesOf(await sql.query(statements.expire, [ms])),
  };
}

export const insertSchedule = (table: string) => `
  INSERT INTO ${table} (name, kind, rule, payload, anchor_at, next_at, declared_at, declared_by, seen_at)
  VALUES ($1, $2, $3::json, $4::json, $5::timestamptz, $6::timestamptz, $7::timestamptz, $8, clock_timestamp())
  ON CONFLICT (name) DO NOTHING
  RETURNING name`;

export const updateSchedule = (table: string) => `
  UPDATE ${table}
  SET kind = $2, rule = $3::json, payload = $4::json, anchor_at = $5::timestamptz, next_at = $6::timestamptz,
      declared_at = $7::timestamptz, declared_by = $8, seen_at = clock_timestamp(), revision = revision + 1,
      updated_at = clock_timestamp()
  WHERE name = $1 AND revision = $9
  RETURNING name`;

export const pause = (table: string) => `
  UPDATE ${table}
  SET paused_at = coalesce(paused_at, clock_timestamp()), paused_reason = $2, updated_at = clock_timestamp()
  WHERE name = $1
  RETURNING name`;

export const resume = (table: string) => `
  UPDATE ${table}
  SET paused_at = NULL, paused_reason = NULL, next_at = $3::timestamptz, catch_up = $4,
      queued_tick = CASE WHEN $5 THEN NULL ELSE queued_tick END, revision = revision + 1, updated_at = clock_timestamp()
  WHERE name = $1 AND revision = $2 AND paused_at IS NOT NULL
  RETURNING name`;

export const deleteSchedule = (table: string) => `DELETE FROM ${table} WHERE name = $1 RETURNING name`;

export const setLastJob = (table: string) => `
  UPDATE ${table} SET last_job_id = $2, updated_at = clock_timestamp() WHERE name = $1`;

export const seen = (table: string) => `
  UPDATE ${table}
  SET seen_at = clock_timestamp(), declared_at = greatest(declared_at, $2::timestamptz),
      declared_by = CASE WHEN declared_at < $2::timestamptz THEN $3 ELSE declared_by END
  WHERE name = ANY ($1::varchar[]) AND declared_at IS NOT NULL
  RETURNING name`;

export const expire = (table: string) => `
  DELETE FROM ${table}
  WHERE declared_at IS NOT NULL AND seen_at < clock_timestamp() - $1::float8 * interval '1 millisecond'
  RETURNING name`;

function bindSchedule(write: ScheduleWrite): unknown[] {
  const { name, kind, rule, payload, anchorAt, nextAt, declaredAt, declaredBy } = write;
  const instants = [instantOf(anchorAt), instantOf(nextAt), instantOf(declaredAt)];
  return [name, kind, rule, payload, ...instants, declaredBy];
}

function namesOf(rows: readonly { readonly name?: unknown }[]): string[] {
  return rows.map(({ name }) => name as string);
}

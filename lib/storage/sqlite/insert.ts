import { finish, finishNow, step, type Work } from '../../async/work.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import { labelsOfJobs } from '../../job/labels.js';
import { SETTING_COLUMNS, SETTING_NAMES } from '../sql/columns.js';
import type { JobsTable } from '../sql/dialect.js';
import { DuplicateIdError, duplicateIdAmong } from '../sql/duplicate-id.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { asBuffer, decodeInserted } from '../sql/row.js';
import { sideTable } from '../sql/side-tables.js';
import type { Row, Sql } from '../sql/sql.js';
import { millisOf } from './columns.js';
import { atOnce, type Query } from './connection.js';
import { bindLabels, insertLabels } from './labels.js';
import { utcText } from '../sql/instants.js';
import { isDuplicateId } from './errors.js';
import { hexOf } from './parameters.js';

export function insert(table: JobsTable): JobsDialect['insert'] {
  const { quoted } = table;
  const statements = { one: insertOne(quoted), many: insertMany(quoted), existing: existingId(quoted) };
  const label = insertLabels(sideTable(table, 'labels').quoted);

  return async (sql, jobs, isJoined = false) => decodeRows(jobs, await insertRows(sql, jobs, isJoined));

  async function insertRows(
    sql: Sql,
    jobs: readonly EncodedJob[],
    isJoined: boolean,
  ): Promise<readonly Row[]> {
    const labels = labelsOfJobs(jobs);
    const write: [text: string, parameters: unknown[]] =
      jobs.length === 1
        ? [statements.one, bindJob(jobs[0]!)]
        : [statements.many, [JSON.stringify(jobs.map(encodeJob))]];
    try {
      if (labels.length === 0) return await sql.query(...write);
      const both = function* (query: Query): Work<readonly Row[]> {
        const rows = yield* step(query(...write));
        yield* step(query(label, [bindLabels(labels)]));
        return rows;
      };
      return isJoined
        ? await finish(both((text, parameters) => sql.query(text, parameters)))
        : await atOnce(sql, (query) => finishNow(both(query)));
    } catch (error) {
      if (!isDuplicateId(error)) throw error;
      // A failed statement leaves the caller's transaction intact, so the table can be asked in it.
      throw new DuplicateIdError(await duplicateIdAmong(jobs, '', (ids) => existingOf(sql, ids)), error);
    }
  }

  async function existingOf(sql: Sql, ids: readonly string[]): Promise<string | undefined> {
    const [row] = await sql.query(statements.existing, [JSON.stringify(ids)]);
    return row?.id as string | undefined;
  }
}

/* A document of many megabytes is not put into JSON once more, and read out of it again. */
export const insertOne = (table: string) => `
  INSERT INTO ${table} (id, kind, payload, payload_bytes, run_at, due, created_at, updated_at, ${SETTING_NAMES})
  SELECT id, kind, payload, bytes, run_at, run_at <= now, now, now, ${SETTING_NAMES}
  FROM (
    SELECT ? AS id, ? AS kind, ? AS payload, ? AS bytes,
      coalesce(?, strftime('%Y-%m-%d %H:%M:%f', 'now', (? / 1000.0) || ' seconds')) AS run_at,
      strftime('%Y-%m-%d %H:%M:%f', 'now') AS now,
      ${SETTING_COLUMNS.map(({ name }) => `? AS ${name}`).join(', ')}
  )
  WHERE true
  RETURNING id, ${millisOf('run_at')} AS run_at, ${millisOf('created_at')} AS created_at`;

export const insertMany = (table: string) => `${insertGiven(table)}
  WHERE true
  ${RETURNING}`;

/* Passes over ids that exist. */
export const insertMissing = (table: string) => `${insertGiven(table)}
  WHERE true
  ON CONFLICT (id) DO NOTHING
  ${RETURNING}`;

const insertGiven = (table: string) => `
  INSERT INTO ${table} (id, kind, payload, payload_bytes, run_at, due, created_at, updated_at, ${SETTING_NAMES})
  SELECT id, kind, payload, unhex(bytes), run_at, run_at <= now, now, now, ${SETTING_NAMES}
  FROM (
    SELECT value ->> 'id' AS id, value ->> 'kind' AS kind, value ->> 'payload' AS payload, value ->> 'bytes' AS bytes,
      coalesce(value ->> 'runAt',
        strftime('%Y-%m-%d %H:%M:%f', 'now', ((value ->> 'delayMs') / 1000.0) || ' seconds')) AS run_at,
      strftime('%Y-%m-%d %H:%M:%f', 'now') AS now,
      ${SETTING_COLUMNS.map(({ name }) => `value ->> '${name}' AS ${name}`).join(', ')}
    FROM json_each(?)
  )`;

const RETURNING = `RETURNING id, ${millisOf('run_at')} AS run_at, ${millisOf('created_at')} AS created_at`;

export const existingId = (table: string) =>
  `SELECT id FROM ${table} WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1`;

function bindJob(job: EncodedJob): unknown[] {
  const { id, kind, payload, delayMs } = job;
  const settings = SETTING_COLUMNS.map(({ valueOf }) => valueOf(job));
  return [id, kind, payload.json, asBuffer(payload.bytes), runAtOf(job), delayMs, ...settings];
}

/** The jobs as they are stored. @param rows what an insert returns, in any order */
export function decodeRows(jobs: readonly EncodedJob[], rows: readonly Row[]): Job[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return jobs.map((job) => {
    const { run_at, created_at } = byId.get(job.id)!;
    return decodeInserted(job, Number(run_at), Number(created_at));
  });
}

/** A job in the list that `insertMany` takes. */
export function encodeJob(job: EncodedJob): object {
  const { id, kind, payload, delayMs } = job;
  const settings = SETTING_COLUMNS.map(({ name, valueOf }) => [name, valueOf(job)]);
  return {
    ...{ id, kind, payload: payload.json, bytes: hexOf(payload.bytes), runAt: runAtOf(job), delayMs },
    ...(Object.fromEntries(settings) as object),
  };
}

/** UTC, as instants are stored. */
export function runAtOf({ runAtMs }: EncodedJob): string | null {
  return runAtMs === null ? null : utcText(runAtMs);
}

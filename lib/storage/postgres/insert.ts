import { sizeOf } from '../../job/document.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { SETTING_COLUMNS, SMALL_PAYLOAD_BYTES, type SettingColumn } from '../sql/columns.js';
import type { JobsTable } from '../sql/dialect.js';
import { DuplicateIdError, duplicateIdAmong } from '../sql/duplicate-id.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import type { Job } from '../../job/job.js';
import { labelsOfJobs, type JobLabel } from '../../job/labels.js';
import { decodeInserted } from '../sql/row.js';
import type { Row } from '../sql/sql.js';
import { numberArray, textArray, unlessAll } from './arrays.js';
import { duplicateIdIn } from './errors.js';
import { bindLabels, labelInserted } from './labels.js';
import { byteaOf } from './parameters.js';
import type { PostgresServer } from './server.js';

/** What an insert writes besides id, kind, payload and start. */
export const WRITTEN_COLUMNS: readonly SettingColumn[] = [
  ...SETTING_COLUMNS,
  { name: 'payload_size', type: 'integer', usual: null, valueOf: largeSizeOf },
];
export const WRITTEN_NAMES = WRITTEN_COLUMNS.map(({ name }) => name).join(', ');

/** The row of a large payload says how large it is: the server would have to read it. */
function largeSizeOf({ payload }: EncodedJob): number | null {
  const size = sizeOf(payload);
  return size > SMALL_PAYLOAD_BYTES ? size : null;
}

export function insert(table: JobsTable, server: PostgresServer): JobsDialect['insert'] {
  const { name, quoted } = table;
  const [plain, labelled] = [statementsFor(quoted), statementsFor(quoted, (at) => labelInserted(table, at))];
  const statementFor = (jobs: readonly EncodedJob[], labels: readonly JobLabel[]): [string, unknown[]] => {
    const { one, alike, many } = labels.length === 0 ? plain : labelled;
    const rest = labels.length === 0 ? [] : bindLabels(labels, server);
    if (jobs.length === 1) return [one, [...bindJob(jobs[0]!), ...rest]];
    return areAlike(jobs) ? [alike, [...bindJobsAlike(jobs), ...rest]] : [many, [...bindJobs(jobs), ...rest]];
  };
  const existing = existingId(quoted);
  return async (sql, jobs, isJoined = false) => {
    try {
      const [row] = await sql.query(...statementFor(jobs, labelsOfJobs(jobs)), { isFrequent: true });
      return decodeAll(jobs, row!);
    } catch (error) {
      const told = duplicateIdIn(error, name);
      if (told === null) throw error;
      const find = async (ids: readonly string[]) =>
        (await sql.query(existing, [textArray(ids)]))[0]?.id as string | undefined;
      // The server has aborted a transaction of the caller's, and answers nothing more in it.
      throw new DuplicateIdError(await duplicateIdAmong(jobs, told, isJoined ? undefined : find), error);
    }
  };
}

/** @param row with the instants from which those of all jobs follow */
export function decodeAll(jobs: readonly EncodedJob[], row: Row): Job[] {
  const [createdAt, startedAt] = [Number(row.created_at), Number(row.started_at)];
  return jobs.map((job) => decodeInserted(job, job.runAtMs ?? startedAt + job.delayMs, createdAt, startedAt));
}

/** What writes the labels of the jobs, with the number of its first parameter. Most jobs have none. */
type Labelling = (first: number) => string;

const NO_LABELS: Labelling = () => '';

function statementsFor(table: string, labelling?: Labelling) {
  return {
    one: insertOne(table, labelling),
    alike: insertAlike(table, labelling),
    many: insertMany(table, labelling),
  };
}

/** @param taken how many parameters the insert has before those of the columns */
function closing(labelling: Labelling, taken: number): string {
  const text = labelling(taken + WRITTEN_COLUMNS.length + 1);
  return text === '' ? '\n  )' : `\n    RETURNING id\n  )${text}`;
}

/*
 * No row has to come back from the three inserts: all instants follow from two.
 */
export const insertOne = (table: string, labelling = NO_LABELS) => `
  WITH inserted AS (
    INSERT INTO ${table} (id, kind, payload, payload_bytes, run_at, due, ${WRITTEN_NAMES})
    SELECT $1::varchar, $2::varchar, $3::json, $4::bytea, start.run_at,
           start.run_at <= statement_timestamp(), ${settingParameters(7)}
    FROM (SELECT coalesce($5::timestamptz, statement_timestamp() + $6::float8 * interval '1 millisecond') AS run_at) AS start${closing(labelling, 6)}
  SELECT date_part('epoch', now()) * 1000 AS created_at, date_part('epoch', statement_timestamp()) * 1000 AS started_at`;

/* For jobs that differ only in id, kind and payload, as most do that come together. Each further list takes 9 µs, even NULL. */
export const insertAlike = (table: string, labelling = NO_LABELS) => `
  WITH inserted AS (
    INSERT INTO ${table} (id, kind, payload, run_at, due, ${WRITTEN_NAMES})
    SELECT given.id, given.kind, given.payload, start.run_at,
           start.run_at <= statement_timestamp(), ${settingParameters(6)}
    FROM unnest($1::varchar[], $2::varchar[], $3::json[]) AS given(id, kind, payload)
    CROSS JOIN (SELECT coalesce($4::timestamptz, statement_timestamp() + $5::float8 * interval '1 millisecond') AS run_at) AS start${closing(labelling, 5)}
  SELECT date_part('epoch', now()) * 1000 AS created_at, date_part('epoch', statement_timestamp()) * 1000 AS started_at`;

/* A list with only usual entries is sent as NULL, which unnest fills up with NULLs: so are most columns of most jobs. */
export const insertMany = (table: string, labelling = NO_LABELS) => `
  WITH inserted AS (${insertGiven(table)}${closing(labelling, 6)}
  SELECT date_part('epoch', now()) * 1000 AS created_at, date_part('epoch', statement_timestamp()) * 1000 AS started_at`;

const insertGiven = (table: string) => `
    INSERT INTO ${table} (id, kind, payload, payload_bytes, run_at, due, ${WRITTEN_NAMES})
    SELECT given.id, given.kind, given.payload, given.payload_bytes, start.run_at,
           start.run_at <= statement_timestamp(), ${WRITTEN_COLUMNS.map(givenOrUsual).join(', ')}
    FROM unnest($1::varchar[], $2::varchar[], $3::json[], $4::bytea[], $5::timestamptz[], $6::float8[],
      ${settingParameters(7, '[]')})
      AS given(id, kind, payload, payload_bytes, run_at, delay_ms, ${WRITTEN_NAMES})
    CROSS JOIN LATERAL (
      SELECT coalesce(
        given.run_at, statement_timestamp() + coalesce(given.delay_ms, 0) * interval '1 millisecond'
      ) AS run_at
    ) AS start`;

/* Passes over ids that exist, and waits for transactions that are about to make them. */
export const insertMissing = (table: string, labelling = NO_LABELS) => `
  WITH inserted AS (${insertGiven(table)}
    ON CONFLICT (id) DO NOTHING RETURNING id
  )${labelling(7 + WRITTEN_COLUMNS.length)}
  SELECT (SELECT json_agg(id) FROM inserted)::text AS ids,
    date_part('epoch', now()) * 1000 AS created_at, date_part('epoch', statement_timestamp()) * 1000 AS started_at`;

export const existingId = (table: string) => `SELECT id FROM ${table} WHERE id = ANY ($1::varchar[]) LIMIT 1`;

const CASTS = { integer: 'int4', json: 'json' } as const;

/** `$7::int4, $8::int4, …`: the setting columns as parameters. */
export function settingParameters(first: number, list: '' | '[]' = ''): string {
  return WRITTEN_COLUMNS.map(({ type }, n) => `$${first + n}::${CASTS[type]}${list}`).join(', ');
}

export function givenOrUsual({ name, usual }: SettingColumn): string {
  return usual === null ? `given.${name}` : `coalesce(given.${name}, ${usual})`;
}

export function bindJob(job: EncodedJob): unknown[] {
  const { id, kind, payload } = job;
  return [id, kind, payload.json, byteaOf(payload.bytes), ...startAndSettingsOf(job)];
}

/** @param jobs which are alike */
function bindJobsAlike(jobs: readonly EncodedJob[]): unknown[] {
  return [...documentsOf(jobs), ...startAndSettingsOf(jobs[0]!)];
}

export function bindJobs(jobs: readonly EncodedJob[]): unknown[] {
  const bytes = jobs.map(({ payload }) => byteaOf(payload.bytes));
  const delays = jobs.map(({ delayMs }) => delayMs);
  return [
    ...documentsOf(jobs),
    unlessAll(null, bytes, textArray),
    unlessAll(null, jobs.map(runAtOf), textArray),
    unlessAll(0, delays, numberArray),
    ...WRITTEN_COLUMNS.map((column) => listOf(column, jobs)),
  ];
}

/** A setting column as a list. */
function listOf(column: SettingColumn, jobs: readonly EncodedJob[]): string | null {
  return column.type === 'integer'
    ? unlessAll(column.usual, jobs.map(column.valueOf), numberArray)
    : unlessAll(column.usual, jobs.map(column.valueOf), textArray);
}

/** Whether only id, kind and a JSON payload tell jobs apart. */
function areAlike(jobs: readonly EncodedJob[]): boolean {
  const first = jobs[0]!;
  return jobs.every(
    (job) =>
      job.payload.bytes === null &&
      job.runAtMs === first.runAtMs &&
      job.delayMs === first.delayMs &&
      WRITTEN_COLUMNS.every(({ valueOf }) => valueOf(job) === valueOf(first)),
  );
}

function documentsOf(jobs: readonly EncodedJob[]): unknown[] {
  const payloads = jobs.map(({ payload }) => payload.json);
  return [
    textArray(jobs.map((job) => job.id)),
    textArray(jobs.map((job) => job.kind)),
    unlessAll(null, payloads, textArray),
  ];
}

function startAndSettingsOf(job: EncodedJob): unknown[] {
  return [runAtOf(job), job.delayMs, ...WRITTEN_COLUMNS.map(({ valueOf }) => valueOf(job))];
}

function runAtOf({ runAtMs }: EncodedJob): string | null {
  return runAtMs === null ? null : new Date(runAtMs).toISOString();
}

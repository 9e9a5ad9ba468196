import type { EncodedJob } from '../../job/encode-job.js';
import { labelsOfJobs } from '../../job/labels.js';
import { SETTING_COLUMNS, SETTING_NAMES } from '../sql/columns.js';
import type { JobsTable } from '../sql/dialect.js';
import { DuplicateIdError, duplicateIdAmong } from '../sql/duplicate-id.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { asBuffer, decodeInserted } from '../sql/row.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';
import { millisOf } from './columns.js';
import { duplicateIdIn } from './errors.js';
import { insertLabels, rowOf } from './labels.js';
import { inPackets } from './packets.js';
import { utcText } from '../sql/instants.js';
import type { MysqlServer } from './server.js';
import { inOwnTransaction } from './transaction.js';

export function insert(table: JobsTable, server: MysqlServer): JobsDialect['insert'] {
  const { quoted } = table;
  const statements = {
    plain: insertPlain(quoted),
    any: insertAny(quoted),
    labels: insertLabels(sideTable(table, 'labels').quoted),
    existing: existingId(quoted),
  };
  const packetsOf = (statement: string, rows: readonly (readonly unknown[])[]) =>
    inPackets(rows, server).map((packet) => ({ statement, packet }));
  return async (sql, jobs, isJoined = false) => {
    const [row] = await sql.query(NOW);
    const now = Number(row!.now);
    const nowText = utcText(now);
    const plainRow = ({ id, kind, payload }: EncodedJob, start: string) => [
      id,
      kind,
      payload.json,
      start,
      nowText,
      nowText,
    ];
    const [statement, rows] = jobs.every(isPlain)
      ? [statements.plain, jobs.map((job) => plainRow(job, nowText))]
      : [
          statements.any,
          jobs.map((job) => [...plainRow(job, utcText(startOf(job, now))), ...otherColumnsOf(job, now)]),
        ];
    try {
      const labels = labelsOfJobs(jobs).map(rowOf);
      const packets = [...packetsOf(statement, rows), ...packetsOf(statements.labels, labels)];
      await insertPackets(sql, packets, isJoined);
    } catch (error) {
      const told = duplicateIdIn(error);
      if (told === null) throw error;
      // A refused statement leaves the caller's transaction intact, so the table can be asked in it.
      const existing = async (ids: readonly string[]) =>
        (await sql.query(statements.existing, [ids]))[0]?.id as string | undefined;
      throw new DuplicateIdError(await duplicateIdAmong(jobs, told, existing), error);
    }
    return jobs.map((job) => decodeInserted(job, startOf(job, now), now));
  };
}

export const NOW = `SELECT ${millisOf('UTC_TIMESTAMP(6)')} AS now`;

/* For jobs whose other columns are all at their defaults, see "isPlain". */
export const insertPlain = (table: string) =>
  `INSERT INTO ${table} (id, kind, payload, run_at, created_at, updated_at) VALUES ?`;

export const insertAny = (table: string) => `
  INSERT INTO ${table} (id, kind, payload, run_at, created_at, updated_at, payload_bytes, due, ${SETTING_NAMES})
  VALUES ?`;

/* The insert has locked the row already. A plain read might go by an older snapshot, which has not got it. */
export const existingId = (table: string) =>
  `SELECT id FROM ${table} WHERE id IN (?) LIMIT 1 LOCK IN SHARE MODE`;

const SAVEPOINT = `SAVEPOINT nest_jobs_enqueue`;
const ROLLBACK_TO_SAVEPOINT = `ROLLBACK TO SAVEPOINT nest_jobs_enqueue`;

interface Packet {
  readonly statement: string;
  /** Rows to insert. */
  readonly packet: readonly unknown[];
}

async function insertPackets(sql: Sql, packets: readonly Packet[], isJoined: boolean): Promise<void> {
  const insertAll = async () => {
    for (const { statement, packet } of packets) await sql.query(statement, [packet]);
  };
  if (packets.length === 1) return insertAll(); // one statement is all or nothing by itself
  if (!isJoined) return inOwnTransaction(sql, insertAll);
  await sql.query(SAVEPOINT);
  try {
    await insertAll();
  } catch (error) {
    await sql.query(ROLLBACK_TO_SAVEPOINT);
    throw error;
  }
}

/** Whether everything but id, kind and JSON payload is what the table has by default, as it is for most jobs. */
function isPlain(job: EncodedJob): boolean {
  return (
    job.payload.bytes === null &&
    job.runAtMs === null &&
    job.delayMs === 0 &&
    SETTING_COLUMNS.every(({ usual, valueOf }) => valueOf(job) === usual)
  );
}

function otherColumnsOf(job: EncodedJob, now: number): unknown[] {
  const isDue = startOf(job, now) <= now;
  return [asBuffer(job.payload.bytes), isDue, ...SETTING_COLUMNS.map(({ valueOf }) => valueOf(job))];
}

/** @param now by the clock of the database */
export function startOf({ runAtMs, delayMs }: EncodedJob, now: number): number {
  return runAtMs ?? now + delayMs;
}

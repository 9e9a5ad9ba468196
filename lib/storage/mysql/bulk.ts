import { decodeSeenJob, type BulkDialect, type Reopening } from '../sql/bulk-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { isAs } from '../sql/edits-dialect.js';
import { utcText } from '../sql/instants.js';
import type { Sql } from '../sql/sql.js';
import { jobsDeleter } from './delete-jobs.js';
import { listOf } from './parameters.js';
import type { MysqlServer } from './server.js';
import { inOwnTransaction } from './transaction.js';

/** An UPDATE returns no rows here: so these lock the rows, look at them, and then write them by their primary keys. */
export function bulk(table: JobsTable, server: MysqlServer): BulkDialect {
  const { quoted } = table;
  const statements = {
    see: seeAll(quoted),
    lock: lockAll(quoted),
    reopenIn: reopenAll(quoted, IN),
    reopenAt: reopenAll(quoted, AT),
    lockDeleted: lockDeleted(quoted),
  };
  const deleteJobs = jobsDeleter(table, server);
  const within = <T>(sql: Sql, isJoined: boolean, work: () => Promise<T>) =>
    isJoined ? work() : inOwnTransaction(sql, work);
  return {
    seeAll: async (sql, ids) => (await sql.query(statements.see, [listOf(ids)])).map(decodeSeenJob),

    reopenAll: (sql, jobs, isJoined) =>
      within(sql, isJoined, async () => {
        const locked = await sql.query(statements.lock, [jobs.map(({ seen }) => seen.id)]);
        const now = new Map(locked.map(decodeSeenJob).map((row) => [row.id, row]));
        const unchanged = jobs.filter(({ seen }) => isAs(seen, now.get(seen.id) ?? null));
        if (unchanged.length === 0) return [];
        const statement = unchanged[0]!.runAtMs === null ? statements.reopenIn : statements.reopenAt;
        await sql.query(statement, bindReopenings(unchanged));
        return unchanged.map(({ seen }) => seen.id);
      }),

    deleteAll: (sql, ids, statuses, isJoined) =>
      within(sql, isJoined, async () => {
        const rows = await sql.query(statements.lockDeleted, [listOf(ids), listOf(statuses)]);
        if (rows.length > 0)
          await deleteJobs(
            sql,
            rows.map(({ id }) => id as string),
          );
        return rows.length;
      }),
  };
}

function bindReopenings(jobs: readonly Reopening[]): unknown[] {
  const ids = jobs.map(({ seen }) => seen.id);
  const starts = jobs.map(({ runAtMs, delayMs }) =>
    runAtMs === null ? Math.round(delayMs * 1000) : utcText(runAtMs),
  );
  return [ids, starts, ids, starts, ids, jobs.map(({ settings }) => settings), ids];
}

const COLUMNS = 'id, kind, status, locked_by IS NOT NULL AS is_held, attempts_done, settings';

export const seeAll = (table: string) =>
  `SELECT ${COLUMNS} FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?)`;

export const lockAll = (table: string) =>
  `SELECT ${COLUMNS} FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?) ORDER BY id FOR UPDATE`;

const IN = 'UTC_TIMESTAMP(6) + INTERVAL ELT(FIELD(id, ?), ?) MICROSECOND';
const AT = 'CAST(ELT(FIELD(id, ?), ?) AS datetime(6))';

/* Each job has a start and settings of its own, at the place of its id in the list. */
export const reopenAll = (table: string, start: string) => `
  UPDATE ${table}
  SET status = 'PENDING', due = ${start} <= UTC_TIMESTAMP(6), run_at = ${start}, crashes = 0,
      settings = ELT(FIELD(id, ?), ?), progress = NULL, cancel_requested_at = NULL, cancel_reason = NULL,
      updated_at = UTC_TIMESTAMP(6)
  WHERE id IN (?)`;

export const lockDeleted = (table: string) => `
  SELECT id FROM ${table} FORCE INDEX (PRIMARY)
  WHERE id IN (?) AND status IN (?) AND (status <> 'PENDING' OR locked_by IS NULL)
  ORDER BY id FOR UPDATE`;

import { carryOut } from '../sql/carry-out.js';
import type { ScheduleChange } from '../sql/fire-plan.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { CANCEL_REASON, decodeLocked, decodeSeenJob, SCHEDULE_COLUMNS } from '../sql/schedule-row.js';
import type { SchedulesDialect } from '../sql/schedules-dialect.js';
import { select } from './columns.js';
import { instantOf, listOf } from './parameters.js';
import { inOwnTransaction } from './transaction.js';

export function fire(
  table: string,
  jobsTable: string,
  jobs: Pick<JobsDialect, 'insert' | 'cancel'>,
): SchedulesDialect['fire'] {
  const statements = {
    lock: lockSchedules(table),
    see: seeJobs(jobsTable),
    write: writeChange(table),
  };
  return (sql, fires) =>
    inOwnTransaction(sql, () =>
      carryOut(fires, {
        lock: async (names) => (await sql.query(statements.lock, [names])).map(decodeLocked),
        see: async (ids) => (await sql.query(statements.see, [listOf(ids)])).map(decodeSeenJob),
        cancel: (ids) => jobs.cancel(sql, ids, CANCEL_REASON),
        insert: (toMake) => jobs.insert(sql, toMake, true),
        write: async (changes) => {
          for (const change of changes) await sql.query(statements.write, bindChange(change));
        },
      }),
    );
}

export const lockSchedules = (table: string) => `
  SELECT ${select(SCHEDULE_COLUMNS)}, next_at <= UTC_TIMESTAMP(6) AS is_due
  FROM ${table} FORCE INDEX (PRIMARY) WHERE name IN (?)
  ORDER BY name FOR UPDATE SKIP LOCKED`;

export const seeJobs = (jobs: string) =>
  `SELECT id, status = 'PENDING' AS is_open FROM ${jobs} WHERE id IN (?)`;

export const writeChange = (table: string) => `
  UPDATE ${table}
  SET next_at = ?, queued_tick = ?, last_tick = ?, last_job_id = ?, skipped = ?, skipped_in_row = ?, catch_up = ?,
      updated_at = UTC_TIMESTAMP(6)
  WHERE name = ?`;

function bindChange(change: ScheduleChange): unknown[] {
  const { name, nextAt, queuedTick, lastTick, lastJobId, skipped, skippedInRow, catchUp } = change;
  const instants = [nextAt, queuedTick, lastTick].map(instantOf);
  return [...instants, lastJobId, skipped, skippedInRow, catchUp, name];
}

import { carryOut } from '../sql/carry-out.js';
import type { ScheduleChange } from '../sql/fire-plan.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { CANCEL_REASON, decodeLocked, decodeSeenJob, SCHEDULE_COLUMNS } from '../sql/schedule-row.js';
import type { SchedulesDialect } from '../sql/schedules-dialect.js';
import { inTransaction } from '../sql/sql.js';
import { numberArray, textArray } from './arrays.js';
import { select } from './columns.js';
import { instantOf } from './parameters.js';

/** Under REPEATABLE READ, a row that has changed since the first statement would end the transaction. */
const BEGIN = ['BEGIN ISOLATION LEVEL READ COMMITTED'];

export function fire(
  table: string,
  jobsTable: string,
  jobs: Pick<JobsDialect, 'insert' | 'cancel'>,
): SchedulesDialect['fire'] {
  const statements = {
    lock: lockSchedules(table),
    see: seeJobs(jobsTable),
    write: writeChanges(table),
  };
  return (sql, fires) =>
    inTransaction(sql, BEGIN, () =>
      carryOut(fires, {
        lock: async (names) => (await sql.query(statements.lock, [textArray(names)])).map(decodeLocked),
        see: async (ids) => (await sql.query(statements.see, [textArray(ids)])).map(decodeSeenJob),
        cancel: (ids) => jobs.cancel(sql, ids, CANCEL_REASON),
        insert: (toMake) => jobs.insert(sql, toMake, true),
        write: (changes) => sql.query(statements.write, bindChanges(changes)),
      }),
    );
}

export const lockSchedules = (table: string) => `
  SELECT ${select(SCHEDULE_COLUMNS)}, next_at <= clock_timestamp() AS is_due
  FROM ${table} WHERE name = ANY ($1::varchar[])
  ORDER BY name FOR UPDATE SKIP LOCKED`;

export const seeJobs = (jobs: string) => `
  SELECT id, status = 'PENDING' AS is_open FROM ${jobs} WHERE id = ANY ($1::varchar[])`;

export const writeChanges = (table: string) => `
  UPDATE ${table} AS schedule
  SET next_at = given.next_at, queued_tick = given.queued_tick, last_tick = given.last_tick, last_job_id = given.last_job_id,
      skipped = given.skipped, skipped_in_row = given.skipped_in_row, catch_up = given.catch_up,
      updated_at = clock_timestamp()
  FROM unnest($1::varchar[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::varchar[], $6::int8[],
    $7::int8[], $8::varchar[])
    AS given(name, next_at, queued_tick, last_tick, last_job_id, skipped, skipped_in_row, catch_up)
  WHERE schedule.name = given.name`;

function bindChanges(changes: readonly ScheduleChange[]): unknown[] {
  return [
    textArray(changes.map(({ name }) => name)),
    textArray(changes.map(({ nextAt }) => instantOf(nextAt))),
    textArray(changes.map(({ queuedTick }) => instantOf(queuedTick))),
    textArray(changes.map(({ lastTick }) => instantOf(lastTick))),
    textArray(changes.map(({ lastJobId }) => lastJobId)),
    numberArray(changes.map(({ skipped }) => skipped)),
    numberArray(changes.map(({ skippedInRow }) => skippedInRow)),
    textArray(changes.map(({ catchUp }) => catchUp)),
  ];
}

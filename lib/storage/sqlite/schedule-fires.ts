import { decodeCancelled } from '../sql/row.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import { labelsOfJobs } from '../../job/labels.js';
import type { JobsTable } from '../sql/dialect.js';
import { afterCancel, answersOf, jobIdsFor, planFires, type ScheduleChange } from '../sql/fire-plan.js';
import { CANCEL_REASON, decodeLocked, decodeSeenJob, SCHEDULE_COLUMNS } from '../sql/schedule-row.js';
import type { SchedulesDialect } from '../sql/schedules-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { cancelOpen } from './cancel.js';
import { select } from './columns.js';
import { atOnce, type QueryNow } from './connection.js';
import { decodeRows, encodeJob, insertMany } from './insert.js';
import { bindLabels, insertLabels } from './labels.js';
import { instantOf } from './parameters.js';

/** One transaction, and nothing else of this process comes in between its statements. */
export function fire(table: string, jobsTable: JobsTable): SchedulesDialect['fire'] {
  const { quoted: jobs } = jobsTable;
  const statements = {
    lock: seeSchedules(table),
    see: seeJobs(jobs),
    cancel: cancelOpen(jobs),
    insert: insertMany(jobs),
    label: insertLabels(sideTable(jobsTable, 'labels').quoted),
    write: writeChange(table),
  };
  return (sql, fires) =>
    atOnce(sql, (query) => {
      const locked = query(statements.lock, [JSON.stringify(fires.map(({ name }) => name))]).map(
        decodeLocked,
      );
      const seen = query(statements.see, [JSON.stringify(jobIdsFor(fires, locked))]);
      const planned = planFires(fires, locked, seen.map(decodeSeenJob));
      const toCancel = JSON.stringify(planned.flatMap(({ cancelId }) => cancelId ?? []));
      const cancelled = query(statements.cancel, [CANCEL_REASON, toCancel]).map(decodeCancelled);
      const plans = afterCancel(planned, cancelled);
      const made = insertJobs(
        query,
        plans.flatMap((plan) => plan.jobs.map(({ job }) => job)),
      );
      for (const { change } of plans) if (change !== null) query(statements.write, bindChange(change));
      return answersOf(plans, made, cancelled);
    });

  function insertJobs(query: QueryNow, toMake: readonly EncodedJob[]): Job[] {
    if (toMake.length === 0) return [];
    const rows = query(statements.insert, [JSON.stringify(toMake.map(encodeJob))]);
    query(statements.label, [bindLabels(labelsOfJobs(toMake))]);
    return decodeRows(toMake, rows);
  }
}

export const seeSchedules = (table: string) => `
  SELECT ${select(SCHEDULE_COLUMNS)}, next_at <= strftime('%Y-%m-%d %H:%M:%f', 'now') AS is_due
  FROM ${table} WHERE name IN (SELECT value FROM json_each(?))`;

export const seeJobs = (jobs: string) =>
  `SELECT id, status = 'PENDING' AS is_open FROM ${jobs} WHERE id IN (SELECT value FROM json_each(?))`;

export const writeChange = (table: string) => `
  UPDATE ${table}
  SET next_at = ?, queued_tick = ?, last_tick = ?, last_job_id = ?, skipped = ?, skipped_in_row = ?, catch_up = ?,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  WHERE name = ?`;

function bindChange(change: ScheduleChange): unknown[] {
  const { name, nextAt, queuedTick, lastTick, lastJobId, skipped, skippedInRow, catchUp } = change;
  const instants = [nextAt, queuedTick, lastTick].map(instantOf);
  return [...instants, lastJobId, skipped, skippedInRow, catchUp, name];
}

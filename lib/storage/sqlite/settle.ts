import type { AttemptHistory } from '../../job/job-attempt.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect, WrittenLease } from '../sql/jobs-dialect.js';
import { isAnyRecorded, outcomeColumns, partByFate } from '../sql/outcome-columns.js';
import { MAX_COUNT } from '../sql/row-limits.js';
import { decodeLease } from '../sql/row.js';
import type { Sql } from '../sql/sql.js';
import { recordSettled } from './attempts.js';
import { atOnce } from './connection.js';
import { forgetJobs } from './forget.js';
import { bindLeases, hexOf, idsOf, leaseOf } from './parameters.js';
import { snooze } from './snooze.js';

export function settle(table: JobsTable, history: AttemptHistory): JobsDialect['settle'] {
  const statements = { keep: settleEach(table.quoted), delete: deleteSettled(table.quoted) };
  const forget = forgetJobs(table);
  const putBack = snooze(table.quoted);
  const record = recordSettled(table, history === 'all');
  const keep = async (sql: Sql, kept: readonly Settlement[]) => {
    const parameters = [JSON.stringify(kept.map(encodeSettlement))];
    if (
      !isAnyRecorded(
        history,
        kept.map(({ outcome }) => outcome),
      )
    )
      return (await sql.query(statements.keep, parameters)).map(decodeLease);
    const workers = new Map(kept.map(({ id, lockedBy }) => [id, lockedBy]));
    return atOnce(sql, (query) => {
      const written = query(statements.keep, parameters).map(decodeLease);
      const ended = written.map(({ id }) => ({ id, worker: workers.get(id)! }));
      record(query, ended);
      return written;
    });
  };
  const remove = async (sql: Sql, deletes: readonly Settlement[]) => {
    const deleted = (await sql.query(statements.delete, [bindLeases(deletes)])).map(decodeLease);
    await forget(sql, idsOf(deleted));
    return deleted;
  };
  return async (sql, settlements) => {
    const { kept, deleted, snoozed } = partByFate(settlements);
    const written: WrittenLease[] = [];
    if (deleted.length > 0) written.push(...(await remove(sql, deleted)));
    if (kept.length > 0) written.push(...(await keep(sql, kept)));
    if (snoozed.length > 0) written.push(...(await putBack(sql, snoozed)));
    return written;
  };
}

export const settleEach = (table: string) => `
  UPDATE ${table} AS job
  SET status = CASE WHEN job.cancel_requested_at IS NULL OR outcome.value ->> 'status' = 'DONE'
        THEN outcome.value ->> 'status' ELSE 'CANCELLED' END,
      cancel_reason = coalesce(job.cancel_reason, outcome.value ->> 'cancelReason'), result = outcome.value ->> 'result',
      result_bytes = unhex(outcome.value ->> 'resultBytes'),
      last_error = coalesce(outcome.value ->> 'lastError', job.last_error),
      run_at = coalesce(
        strftime('%Y-%m-%d %H:%M:%f', 'now', ((outcome.value ->> 'delayMs') / 1000.0) || ' seconds'), job.run_at),
      due = coalesce(outcome.value ->> 'delayMs', 0) = 0,
      attempts_done = min(job.attempts_done, ${MAX_COUNT - 1}) + 1, last_attempt_at = job.locked_at,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now'),
      locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0
  FROM json_each(?) AS outcome
  WHERE job.id = outcome.value ->> 'id' AND job.lease_token = outcome.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by = outcome.value ->> 'lockedBy'
  RETURNING id, lease_token`;

/* For jobs that are not kept. */
export const deleteSettled = (table: string) => `
  DELETE FROM ${table}
  WHERE (id, lease_token, locked_by) IN (
      SELECT held.value ->> 'id', held.value ->> 'leaseToken', held.value ->> 'lockedBy' FROM json_each(?) AS held
    ) AND status = 'PENDING'
  RETURNING id, lease_token`;

/** An outcome as the statement reads it from JSON. */
function encodeSettlement({ outcome, ...lease }: Settlement): object {
  const columns = outcomeColumns(outcome);
  return { ...leaseOf(lease), ...columns, resultBytes: hexOf(columns.resultBytes) };
}

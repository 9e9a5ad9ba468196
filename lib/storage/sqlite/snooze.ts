import { delayAfter } from '../../job/outcome.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { WrittenLease } from '../sql/jobs-dialect.js';
import { decodeLease } from '../sql/row.js';
import type { Sql } from '../sql/sql.js';
import { leaseOf } from './parameters.js';

/** Puts jobs back whose handlers have asked for it. */
export function snooze(table: string): (sql: Sql, given: readonly Settlement[]) => Promise<WrittenLease[]> {
  const statement = snoozeHeld(table);
  return async (sql, given) => {
    const snoozes = given.map(({ outcome, ...lease }) => ({
      ...leaseOf(lease),
      delayMs: delayAfter(outcome),
    }));
    return (await sql.query(statement, [JSON.stringify(snoozes)])).map(decodeLease);
  };
}

/* A release, but the job is not ready before its time. What was asked to end, and is put back, ends with this. */
export const snoozeHeld = (table: string) => `
  UPDATE ${table} AS job
  SET status = CASE WHEN cancel_requested_at IS NULL THEN status ELSE 'CANCELLED' END,
      run_at = strftime('%Y-%m-%d %H:%M:%f', 'now', ((held.value ->> 'delayMs') / 1000.0) || ' seconds'),
      due = held.value ->> 'delayMs' = 0, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
      updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
  FROM json_each(?) AS held
  WHERE job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by = held.value ->> 'lockedBy'
  RETURNING id, lease_token`;

import type { Settlement } from '../../queue/job-queue.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { outcomeColumns } from '../sql/outcome-columns.js';
import { MAX_COUNT } from '../sql/row-limits.js';
import { decodeLease } from '../sql/row.js';
import { hexOf, leaseOf } from './parameters.js';

export function settle(table: string): JobsDialect['settle'] {
  const statement = settleEach(table);
  return async (sql, settlements) =>
    (await sql.query(statement, [JSON.stringify(settlements.map(encodeSettlement))])).map(decodeLease);
}

export const settleEach = (table: string) => `
  UPDATE ${table} AS job
  SET status = outcome.value ->> 'status', result = outcome.value ->> 'result',
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

/** An outcome as the statement reads it from JSON. */
function encodeSettlement({ outcome, ...lease }: Settlement): object {
  const columns = outcomeColumns(outcome);
  return { ...leaseOf(lease), ...columns, resultBytes: hexOf(columns.resultBytes) };
}

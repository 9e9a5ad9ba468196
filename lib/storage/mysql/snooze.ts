import { delayAfter } from '../../job/outcome.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Sql } from '../sql/sql.js';
import type { MysqlServer } from './server.js';

/** Puts jobs back whose handlers have asked for it, and whose rows the caller has locked. */
export function snooze(
  table: string,
  { updatesByJoin }: MysqlServer,
): (sql: Sql, given: readonly Settlement[]) => Promise<void> {
  const statements = { each: snoozeEach(table), one: snoozeOne(table) };
  return async (sql, given) => {
    const snoozes = given.map(({ id, outcome }) => ({ id, delayMs: delayAfter(outcome)! }));
    if (updatesByJoin) await sql.query(statements.each, [JSON.stringify(snoozes)]);
    else
      for (const { id, delayMs } of snoozes)
        await sql.query(statements.one, [delayMs * 1000, delayMs === 0, id]);
  };
}

/* A release, but the job is not ready before its time. What was asked to end, and is put back, ends with this. */
export const snoozeEach = (table: string) => `
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
    id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.id',
    delay_ms bigint PATH '$.delayMs'
  )) AS snooze
  STRAIGHT_JOIN ${table} AS job FORCE INDEX (PRIMARY) ON job.id = snooze.id
  SET job.status = IF(job.cancel_requested_at IS NULL, job.status, 'CANCELLED'),
      job.run_at = UTC_TIMESTAMP(6) + INTERVAL snooze.delay_ms * 1000 MICROSECOND, job.due = snooze.delay_ms = 0,
      job.locked_by = NULL, job.locked_at = NULL, job.locked_until = NULL, job.alone = 0, job.updated_at = UTC_TIMESTAMP(6)`;

/* The same for a server with sql_safe_updates. */
export const snoozeOne = (table: string) => `
  UPDATE ${table}
  SET status = IF(cancel_requested_at IS NULL, status, 'CANCELLED'),
      run_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, due = ?,
      locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0, updated_at = UTC_TIMESTAMP(6)
  WHERE id = ?`;

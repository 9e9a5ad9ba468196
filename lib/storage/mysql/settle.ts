import type { AttemptHistory } from '../../job/job-attempt.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { isAnyRecorded, outcomeColumns, partByFate } from '../sql/outcome-columns.js';
import { MAX_COUNT } from '../sql/row-limits.js';
import { asBuffer } from '../sql/row.js';
import { recordSettled, type EndedAttempt } from './attempts.js';
import { jobsDeleter } from './delete-jobs.js';
import { LockedLeases } from './locked-leases.js';
import { inParts, roomIn } from './packets.js';
import type { MysqlServer } from './server.js';
import { snooze } from './snooze.js';

/** Fewer alike outcomes are not worth a statement of their own. */
const MIN_ALIKE = 8;

export function settle(
  table: JobsTable,
  server: MysqlServer,
  history: AttemptHistory,
): JobsDialect['settle'] {
  const statements = { each: settleEach(table.quoted), alike: settleAlike(table.quoted) };
  const lockedLeases = new LockedLeases(table.quoted);
  const deleteJobs = jobsDeleter(table, server);
  const putBack = snooze(table.quoted, server);
  const record = recordSettled(table, history === 'all');
  return async (sql, settlements, isJoined = false) => {
    const write = async (held: readonly Settlement[]) => {
      const { kept, deleted, snoozed } = partByFate(held);
      const deletedIds = deleted.map(({ id }) => id);
      if (deletedIds.length > 0) await deleteJobs(sql, deletedIds);
      if (snoozed.length > 0) await putBack(sql, snoozed);
      const { alike, others } = partByOutcome(kept.map(encodeSettlement));
      if (alike.length > 0) await sql.query(statements.alike, bindAlike(alike));
      // What is too large for JSON within a text is written as it is, which takes a quarter of the bytes.
      const maxBytes = server.updatesByJoin ? roomIn(server) : 0;
      for (const part of inParts(others, sentBytesOf, maxBytes)) {
        const isTooLarge = sentBytesOf(part[0]!) > maxBytes;
        if (isTooLarge) await sql.query(statements.alike, bindAlike(part));
        else await sql.query(statements.each, [JSON.stringify(part)]);
      }
      const outcomes = kept.map(({ outcome }) => outcome);
      if (kept.length > 0 && isAnyRecorded(history, outcomes)) await record(sql, kept.map(endedAttempt));
    };
    return isJoined
      ? lockedLeases.writeJoined(sql, settlements, write)
      : lockedLeases.write(sql, settlements, write);
  };
}

/*
 * The planner would rather read a small table as a whole. Then it would wait for every row that is locked in it, such as
 * one that an application has enqueued in a transaction and not committed yet.
 */
export const settleEach = (table: string) => `
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
    id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.id',
    status varchar(9) PATH '$.status',
    result longtext CHARACTER SET utf8mb4 PATH '$.result',
    result_bytes longtext PATH '$.resultBytes',
    last_error longtext CHARACTER SET utf8mb4 PATH '$.lastError',
    delay_ms bigint PATH '$.delayMs',
    reason longtext CHARACTER SET utf8mb4 PATH '$.cancelReason'
  )) AS outcome
  STRAIGHT_JOIN ${table} AS job FORCE INDEX (PRIMARY) ON job.id = outcome.id
  SET job.status = IF(job.cancel_requested_at IS NULL OR outcome.status = 'DONE', outcome.status, 'CANCELLED'),
      job.cancel_reason = COALESCE(job.cancel_reason, outcome.reason), job.result = outcome.result, job.result_bytes = FROM_BASE64(outcome.result_bytes),
      job.last_error = COALESCE(outcome.last_error, job.last_error),
      job.run_at = IF(outcome.delay_ms IS NULL, job.run_at, UTC_TIMESTAMP(6) + INTERVAL outcome.delay_ms * 1000 MICROSECOND),
      job.due = outcome.delay_ms IS NULL OR outcome.delay_ms = 0,
      job.attempts_done = LEAST(job.attempts_done, ${MAX_COUNT - 1}) + 1, job.last_attempt_at = job.locked_at, job.updated_at = UTC_TIMESTAMP(6),
      job.locked_by = NULL, job.locked_at = NULL, job.locked_until = NULL, job.alone = 0`;

/* For many outcomes that are the same, as those of handlers that return nothing. It costs half of what the join does. */
export const settleAlike = (table: string) => `
  UPDATE ${table} AS job
  SET status = IF(cancel_requested_at IS NULL OR ? = 'DONE', ?, 'CANCELLED'),
      cancel_reason = COALESCE(cancel_reason, ?), result = ?, result_bytes = FROM_BASE64(?), last_error = COALESCE(?, last_error),
      run_at = IF(? IS NULL, run_at, UTC_TIMESTAMP(6) + INTERVAL ? * 1000 MICROSECOND), due = ?,
      attempts_done = LEAST(attempts_done, ${MAX_COUNT - 1}) + 1, last_attempt_at = locked_at, updated_at = UTC_TIMESTAMP(6),
      locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0
  WHERE id IN (?)`;

function endedAttempt({ id, lockedBy }: Settlement): EndedAttempt {
  return { id, worker: lockedBy };
}

type EncodedSettlement = ReturnType<typeof encodeSettlement>;

/** How many bytes a character takes at most in JSON in a text: a control character is `\\u001b` there. */
const MAX_BYTES_PER_CHARACTER = 7;
/** Names, status, delay and punctuation. */
const OTHER_BYTES = 200;

/** How much an outcome fills of a packet, at most. */
function sentBytesOf({ id, result, resultBytes, lastError, cancelReason }: EncodedSettlement): number {
  const texts = [id, result, resultBytes, lastError, cancelReason];
  const characters = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
  return characters * MAX_BYTES_PER_CHARACTER + OTHER_BYTES;
}

/** An outcome as the statement reads it from JSON. */
function encodeSettlement({ id, outcome }: Settlement) {
  const columns = outcomeColumns(outcome);
  return { id, ...columns, resultBytes: asBuffer(columns.resultBytes)?.toString('base64') ?? null };
}

/** Parts the largest group of outcomes that are the same from the others, if the group is large enough. */
function partByOutcome(settlements: readonly EncodedSettlement[]) {
  const groups = new Map<string, EncodedSettlement[]>();
  let alike: readonly EncodedSettlement[] = [];
  for (const settlement of settlements) {
    const { status, result, resultBytes, lastError, delayMs, cancelReason } = settlement;
    const key = JSON.stringify([status, result, resultBytes, lastError, delayMs, cancelReason]);
    const group = groups.get(key) ?? [];
    group.push(settlement);
    groups.set(key, group);
    if (group.length >= MIN_ALIKE && group.length > alike.length) alike = group;
  }
  const taken = new Set(alike);
  return { alike, others: settlements.filter((settlement) => !taken.has(settlement)) };
}

function bindAlike(alike: readonly EncodedSettlement[]): unknown[] {
  const { status, cancelReason, result, resultBytes, lastError, delayMs } = alike[0]!;
  const isDue = delayMs === null || delayMs === 0;
  const ids = alike.map(({ id }) => id);
  return [status, status, cancelReason, result, resultBytes, lastError, delayMs, delayMs ?? 0, isDue, ids];
}

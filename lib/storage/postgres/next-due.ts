import { CROWDED_LOOK_MS, MAX_OVERDUE_MS, OVERDUE_LOOK_MS, SCHEDULED_LOOK } from '../sql/row-limits.js';

/*
 * When the next scheduled job is due, as a part of a claim that has "come": see ClaimResult.nextDueMs. PostgreSQL evaluates
 * it only where a CASE gets there, which it does where the claim took less than it was asked for.
 *
 * It begins a little before now, for two reasons. A job that another worker is just marking due is locked and skipped by
 * that claim, and not marked yet as this statement sees it. And the index begins with entries of all that have been marked
 * since the last vacuum.
 *
 * Seconds are subtracted, and not instants: before PostgreSQL 17 an infinite one cannot be.
 */
export const nextDueMs = (table: string, isOurs: string) => `
  CASE WHEN (SELECT count(*) FROM come) > 0 THEN 0 ELSE (
    SELECT least(
      min(CASE WHEN in_ms > 0 THEN in_ms ELSE greatest(-in_ms, ${OVERDUE_LOOK_MS}) END) FILTER (WHERE ${isOurs}),
      CASE count(*) WHEN ${SCHEDULED_LOOK} THEN greatest(max(in_ms), ${CROWDED_LOOK_MS}) END)
    FROM (
      SELECT kind, (date_part('epoch', run_at) - date_part('epoch', now())) * 1000 AS in_ms FROM ${table}
      WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due
        AND run_at > now() - interval '${MAX_OVERDUE_MS} milliseconds'
      ORDER BY run_at LIMIT ${SCHEDULED_LOOK}
    ) AS scheduled
  ) END`;

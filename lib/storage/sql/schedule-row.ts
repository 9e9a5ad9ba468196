import type { StoredSchedule, UpcomingSchedule } from '../../queue/schedule-store.js';
import type { Columns } from './columns.js';
import type { LockedSchedule, SeenJob } from './fire-plan.js';
import type { Row } from './sql.js';

/** What is read of a schedule. */
export const SCHEDULE_COLUMNS = {
  name: 'plain',
  kind: 'plain',
  rule: 'json',
  payload: 'json',
  anchor_at: 'instant',
  next_at: 'instant',
  queued_tick: 'instant',
  last_tick: 'instant',
  last_job_id: 'plain',
  skipped: 'plain',
  skipped_in_row: 'plain',
  catch_up: 'plain',
  paused_at: 'instant',
  paused_reason: 'plain',
  declared_at: 'instant',
  declared_by: 'plain',
  seen_at: 'instant',
  revision: 'plain',
  created_at: 'instant',
  updated_at: 'instant',
} as const satisfies Columns;

/** From a row of `SCHEDULE_COLUMNS`. */
export function decodeSchedule(selected: Row): StoredSchedule {
  const row = selected as Readonly<Record<keyof typeof SCHEDULE_COLUMNS, unknown>>;
  return {
    name: row.name as string,
    kind: row.kind as string,
    rule: row.rule as string,
    payload: row.payload as string | null,
    anchorAt: decodeInstant(row.anchor_at)!,
    nextAt: decodeInstant(row.next_at),
    queuedTick: decodeInstant(row.queued_tick),
    lastTick: decodeInstant(row.last_tick),
    lastJobId: row.last_job_id as string | null,
    skipped: Number(row.skipped),
    skippedInRow: Number(row.skipped_in_row),
    catchUp: row.catch_up as StoredSchedule['catchUp'],
    pausedAt: decodeInstant(row.paused_at),
    pausedReason: row.paused_reason as string | null,
    declaredAt: decodeInstant(row.declared_at),
    declaredBy: row.declared_by as string | null,
    seenAt: decodeInstant(row.seen_at),
    revision: Number(row.revision),
    createdAt: decodeInstant(row.created_at)!,
    updatedAt: decodeInstant(row.updated_at)!,
  };
}

/** With `ms_until` and `is_queue_free`. */
export function decodeUpcoming(row: Row): UpcomingSchedule {
  return {
    schedule: decodeSchedule(row),
    msUntil: row.ms_until === null ? Infinity : Number(row.ms_until),
    isQueueFree: Boolean(Number(row.is_queue_free)),
  };
}

/** With `is_due`. */
export function decodeLocked(row: Row): LockedSchedule {
  return { ...decodeSchedule(row), isDue: Boolean(row.is_due) };
}

/** `id` and `is_open`. */
export function decodeSeenJob(row: Row): SeenJob {
  return { id: row.id as string, isOpen: Boolean(row.is_open) };
}

/** From milliseconds since 1970. */
export function decodeInstant(millis: unknown): Date | null {
  return millis === null ? null : new Date(Math.round(Number(millis)));
}

/** Why `overlap: 'cancel'` ends a job, in its row. */
export const CANCEL_REASON = 'Its schedule has come to the next tick, and has overlap: cancel.';

import type { ScheduleWrite, StoredSchedule } from '../queue/schedule-store.js';

/** A schedule as it is stored after a write. @param stored as it was before it, if it was there */
export function writtenSchedule(
  write: ScheduleWrite,
  stored: StoredSchedule | undefined,
  now: Date,
): StoredSchedule {
  const base = stored ?? { ...NEW, createdAt: now };
  return { ...base, ...write, seenAt: now, updatedAt: now, revision: base.revision + 1 };
}

const NEW = {
  ...{ queuedTick: null, lastTick: null, lastJobId: null, skipped: 0, skippedInRow: 0, catchUp: null },
  ...{ pausedAt: null, pausedReason: null, revision: 0 },
} as const;

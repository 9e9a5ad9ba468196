import type { Row } from './sql.js';
import type { LockedKey } from './unique-plan.js';

/** From the columns that `lockKeys` of each database selects. */
export function decodeLockedKey(row: Row): LockedKey {
  return {
    kind: row.kind as string,
    key: row.unique_key as string,
    jobId: row.job_id as string,
    while: row.held_while as LockedKey['while'],
    isInWindow: Number(row.is_in_window) === 1,
  };
}

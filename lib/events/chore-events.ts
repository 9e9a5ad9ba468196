import type { Retention } from '../job/retention.js';

/** What happens while a worker does what one worker of the cluster does at a time. */
export interface ChoreEventMap {
  /** A worker has started, and not all settled jobs are kept for good. */
  readonly retentionStarted: { readonly retention: Retention };
  /** Jobs that were settled long enough ago have been deleted. */
  readonly pruned: { readonly count: number };
  /** A chore, or the look for chores that are due, has failed. `failures` counts those in a row, this one included. */
  readonly choreFailed: { readonly chore?: string; readonly error: unknown; readonly failures: number };
}

import type { Retention } from '../job/retention.js';

/**
 * A part of the table, in an order that the storage chooses: by place, or by primary key. Positions are texts that a
 * storage makes and reads; they may be kept, and used by another process.
 */
export interface PruneRange {
  /** Where to begin; null at the beginning of the table. */
  readonly from: string | null;
  /** Where to end; null at the end of the table. */
  readonly until: string | null;
}

/** What one batch has read and deleted. Instants are milliseconds since 1970 by the storage's clock. */
export interface Pruned {
  /** How many rows were read. */
  readonly read: number;
  /** How many jobs were deleted, at most 1,000. */
  readonly deleted: number;
  /** Where the rest of the range begins; null where the range has been read to its end. */
  readonly reached: string | null;
  /** When the first of the rows that were read and are still there is to go; null where none ever is. */
  readonly nextAt: number | null;
  readonly now: number;
}

/** Deletes settled jobs that are older than they are to be kept, batch by batch. */
export abstract class RetentionStore {
  /**
   * Reads on in the range, some two thousand rows at most, and deletes the jobs in that part that have been settled for longer
   * than they are kept, with all that is stored beside them. A job counts from `updatedAt`. One that is `PENDING`, or
   * whose status is unknown, is left alone.
   *
   * It waits for no row: a job whose row is locked by another transaction is passed over, and `nextAt` is not later than
   * now. It takes no lock on rows that stay.
   */
  abstract prune(retention: Retention, range: PruneRange): Promise<Pruned>;
}

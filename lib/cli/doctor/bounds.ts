import type { InspectionBounds } from '../../queue/inspector.js';

/** From where on the doctor counts something as a trouble; times are in milliseconds. */
export interface DoctorBounds extends InspectionBounds {
  /** How long the oldest ready job of a kind may wait. */
  readonly maxReadyMs: number;
  /** How late a tick of a schedule may be. */
  readonly maxOverdueMs: number;
  /** How long a lease may be over before a worker takes its job back. */
  readonly maxExpiredMs: number;
  /** How late the event loop of a worker may be. */
  readonly maxLoopDelayMs: number;
  /** How long a kind, or a schedule, may be paused without an end. */
  readonly maxPausedMs: number;
}

export const DEFAULT_BOUNDS: DoctorBounds = {
  longTransactionMs: 300_000,
  deadRows: 100_000,
  maxReadyMs: 300_000,
  maxOverdueMs: 60_000,
  maxExpiredMs: 60_000,
  maxLoopDelayMs: 1_000,
  maxPausedMs: 86_400_000,
};

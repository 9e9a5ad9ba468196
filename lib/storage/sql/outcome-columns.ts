import type { JobStatus } from '../../job/job.js';
import { STATUS_AFTER, type Outcome } from '../../job/outcome.js';

/** What a settlement writes of an outcome. */
export interface OutcomeColumns {
  readonly status: JobStatus;
  /** JSON. */
  readonly result: string | null;
  readonly resultBytes: Uint8Array | null;
  /** Null keeps the last one. */
  readonly lastError: string | null;
  /** Until the next attempt; null if there is none. */
  readonly delayMs: number | null;
}

export function outcomeColumns(outcome: Outcome): OutcomeColumns {
  const result = outcome.type === 'done' ? outcome.result : null;
  return {
    status: STATUS_AFTER[outcome.type],
    result: result?.json ?? null,
    resultBytes: result?.bytes ?? null,
    lastError: outcome.type === 'done' ? null : outcome.lastError,
    delayMs: outcome.type === 'retry' ? outcome.delayMs : null,
  };
}

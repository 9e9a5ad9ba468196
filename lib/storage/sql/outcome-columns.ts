import type { AttemptHistory } from '../../job/job-attempt.js';
import type { JobStatus } from '../../job/job-state.js';
import { STATUS_AFTER, type Outcome } from '../../job/outcome.js';
import type { Settlement } from '../../queue/job-queue.js';

/** Settlements by the statements that write them, each list in the order given. */
export interface SettlementsByFate {
  readonly kept: readonly Settlement[];
  readonly deleted: readonly Settlement[];
  readonly snoozed: readonly Settlement[];
}

/** Most batches are of one sort, and are handed back as they are. */
export function partByFate(settlements: readonly Settlement[]): SettlementsByFate {
  const isKept = ({ deletes, outcome }: Settlement) => !deletes && outcome.type !== 'snoozed';
  if (settlements.every(isKept)) return { kept: settlements, deleted: [], snoozed: [] };
  return {
    kept: settlements.filter(isKept),
    deleted: settlements.filter(({ deletes }) => deletes),
    snoozed: settlements.filter(({ deletes, outcome }) => !deletes && outcome.type === 'snoozed'),
  };
}

/** Whether attempts that end like this are recorded, one at least. */
export function isAnyRecorded(history: AttemptHistory, outcomes: readonly Outcome[]): boolean {
  if (history !== 'failures') return history === 'all';
  return outcomes.some(({ type }) => type !== 'done');
}

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
  /** Null keeps the one of the request, if there is one. */
  readonly cancelReason: string | null;
}

export function outcomeColumns(outcome: Outcome): OutcomeColumns {
  const result = outcome.type === 'done' ? outcome.result : null;
  return {
    status: STATUS_AFTER[outcome.type],
    result: result?.json ?? null,
    resultBytes: result?.bytes ?? null,
    lastError: 'lastError' in outcome ? outcome.lastError : null,
    delayMs: outcome.type === 'retry' ? outcome.delayMs : null,
    cancelReason: outcome.type === 'cancelled' ? outcome.reason : null,
  };
}

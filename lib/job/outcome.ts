import { sizeOf, type StoredDocument } from './document.js';
import type { JobStatus } from './job-state.js';

/**
 * How an attempt ended. `lastError` and `reason` are text that every database takes. A job that was asked to end while it ran
 * is `CANCELLED` after every outcome but `done`.
 */
export type Outcome =
  | { readonly type: 'done'; readonly result: StoredDocument }
  | {
      readonly type: 'retry';
      readonly delayMs: number;
      readonly lastError: string;
      /** How many attempts may fail, if there is a limit. For messages. */
      readonly maxAttempts?: number;
    }
  | { readonly type: 'failed'; readonly lastError: string }
  | { readonly type: 'panic'; readonly lastError: string }
  | {
      readonly type: 'cancelled';
      /** Why; null where the row says so, or where no reason was given. */
      readonly reason: string | null;
    }
  | Snoozed;

/** The handler has put its job back: no attempt is counted, and the next one does not start sooner than that. */
export interface Snoozed {
  readonly type: 'snoozed';
  readonly delayMs: number;
}

/** How an attempt ended that counts. */
export type Ended = Exclude<Outcome, Snoozed>;

/** What a handler has returned: its result, or that its job is put back. */
export type Returned = StoredDocument | Snoozed;

/** How an attempt ends whose handler has returned this. */
export function outcomeOfReturned(returned: Returned): Extract<Outcome, { type: 'done' | 'snoozed' }> {
  return 'type' in returned ? returned : { type: 'done', result: returned };
}

/** The status that an outcome leaves a job in. */
export const STATUS_AFTER: Readonly<Record<Outcome['type'], JobStatus>> = {
  done: 'DONE',
  retry: 'PENDING',
  failed: 'FAILED',
  panic: 'PANIC',
  cancelled: 'CANCELLED',
  snoozed: 'PENDING',
};

/** The approximate size of what is stored of an outcome, in bytes: a character counts as one. */
export function sizeOfOutcome(outcome: Outcome): number {
  if (outcome.type === 'done') return sizeOf(outcome.result);
  if (outcome.type === 'snoozed') return 0;
  return outcome.type === 'cancelled' ? (outcome.reason?.length ?? 0) : outcome.lastError.length;
}

/** In how many milliseconds a job may run again that was settled with this outcome; null where it has ended. */
export function delayAfter(outcome: Outcome): number | null {
  return outcome.type === 'retry' || outcome.type === 'snoozed' ? outcome.delayMs : null;
}

import { sizeOf, type StoredDocument } from './document.js';
import type { JobStatus } from './job.js';

/** How an attempt ended. `lastError` is text that every database takes. */
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
  | { readonly type: 'panic'; readonly lastError: string };

/** The status that an outcome leaves a job in. */
export const STATUS_AFTER: Readonly<Record<Outcome['type'], JobStatus>> = {
  done: 'DONE',
  retry: 'PENDING',
  failed: 'FAILED',
  panic: 'PANIC',
};

/** The approximate size of what is stored of an outcome, in bytes: a character counts as one. */
export function sizeOfOutcome(outcome: Outcome): number {
  return outcome.type === 'done' ? sizeOf(outcome.result) : outcome.lastError.length;
}

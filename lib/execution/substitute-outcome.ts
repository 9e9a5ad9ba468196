import { describeError } from '../job/describe-error.js';
import type { Outcome } from '../job/outcome.js';

/** In ASCII characters. */
const MAX_REASON_LENGTH = 500;

/**
 * What is written in the place of an outcome that the storage refuses: it fits any storage. A retry stays one, with its
 * delay, and a panic stays a panic.
 */
export function substituteFor(outcome: Outcome, error: unknown): Outcome {
  const [reason] = describeError(error).split('\n', 1);
  const lastError = `The outcome could not be stored: ${ascii(reason!).slice(0, MAX_REASON_LENGTH)}`;
  if (outcome.type === 'snoozed') return outcome; // nothing of it is content
  if (outcome.type === 'cancelled') return { ...outcome, reason: lastError };
  return outcome.type === 'done' ? { type: 'failed', lastError } : { ...outcome, lastError };
}

/** The same text in printable ASCII characters: every encoding of a database has them. */
function ascii(text: string): string {
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

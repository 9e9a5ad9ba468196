import type { JobsError } from '../job/errors.js';

const MAX_LENGTH = 1_000;

/**
 * Why an operator does something, as it is stored.
 *
 * @param Refusal of the call
 * @returns null where none was given
 */
export function requireReason(
  reason: unknown,
  Refusal: new (path: string, problem: string) => JobsError,
): string | null {
  if (reason === undefined) return null;
  const isText = typeof reason === 'string' && reason.isWellFormed() && !reason.includes('\0');
  if (isText && reason.length <= MAX_LENGTH) return reason;
  throw new Refusal(
    'reason',
    `must be a text of at most ${MAX_LENGTH} characters, without NUL and half surrogate pairs.`,
  );
}

import { InvalidJobError } from '../job/errors.js';
import { describeNumber, describeType } from '../job/names.js';
import { isDelay, MAX_DELAY_MS } from '../job/retry.js';

export interface WaitOptions {
  /** How long to wait, in milliseconds. Default 30,000; `Infinity` without end. */
  readonly timeoutMs?: number;
  /** Ends the waiting, and not the job: the call rejects with its reason. */
  readonly signal?: AbortSignal;
}

const DEFAULT_MS = 30_000;

/** How long to wait. */
export interface WaitTerms {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** @throws InvalidJobError */
export function requireWaitOptions(options: WaitOptions, defaultMs = DEFAULT_MS): WaitTerms {
  const { timeoutMs = defaultMs, signal, ...unknown } = options;
  for (const name of Object.keys(unknown))
    throw new InvalidJobError(name, 'is no option of this call, which takes timeoutMs and signal.');
  if (timeoutMs !== Infinity && !isDelay(timeoutMs))
    throw new InvalidJobError(
      'timeoutMs',
      `is ${describeNumber(timeoutMs)}; it must be milliseconds from 0 to ${MAX_DELAY_MS}, or Infinity.`,
    );
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidJobError('signal', `is ${describeType(signal)}; it must be an AbortSignal.`);
  return { timeoutMs, signal };
}

import { random } from '../async/pauses.js';
import { InvalidOptionError } from './errors.js';

/**
 * How long to wait before an attempt is tried again.
 * - exponential: `delayMs`, twice that, four times and so on up to `maxDelayMs`; to that `jitter` (0 to 1, default 0.2)
 *   adds up to that share at random, so that jobs that failed together do not come back together
 * - fixed: always `delayMs`
 * - a function of the number of failures so far (1 after the first one) to milliseconds
 *
 * Whatever it says, no attempt starts sooner than the module's `minRetryDelayMs`.
 */
export type Backoff =
  | {
      readonly type: 'exponential';
      readonly delayMs?: number;
      readonly maxDelayMs?: number;
      readonly jitter?: number;
    }
  | { readonly type: 'fixed'; readonly delayMs: number }
  | ((failures: number) => number);

const DEFAULT_DELAY_MS = 5_000;
const DEFAULT_MAX_DELAY_MS = 3_600_000;
const DEFAULT_JITTER = 0.2;
/** A hundred years: longer is a mistake, and every database can still add it to today. */
export const MAX_DELAY_MS = 100 * 365 * 86_400_000;

export const DEFAULT_BACKOFF: Backoff = { type: 'exponential' };

/** @returns milliseconds, within 0 and `MAX_DELAY_MS`; what a function of the user's gives wrongly becomes the default */
export function backoffDelayMs(backoff: Backoff, failures: number, chance = random): number {
  if (typeof backoff === 'function') {
    const delayMs = callBackoff(backoff, failures);
    return delayMs ?? backoffDelayMs(DEFAULT_BACKOFF, failures, chance);
  }
  if (backoff.type === 'fixed') return backoff.delayMs;
  const { delayMs = DEFAULT_DELAY_MS, maxDelayMs = DEFAULT_MAX_DELAY_MS, jitter = DEFAULT_JITTER } = backoff;
  const full = Math.min(delayMs * 2 ** Math.min(failures - 1, 40), maxDelayMs);
  return Math.min(Math.round(full * (1 + jitter * chance())), MAX_DELAY_MS);
}

/** @throws InvalidOptionError */
export function validateBackoff(backoff: Backoff, option: string): void {
  if (typeof backoff === 'function') return;
  if (!isBackoffObject(backoff)) {
    const allowed =
      "a function, { type: 'fixed', delayMs } or { type: 'exponential', delayMs?, maxDelayMs?, jitter? }";
    throw new InvalidOptionError(option, backoff, allowed);
  }
  requireDelay(backoff.delayMs, `${option}.delayMs`, backoff.type === 'exponential');
  if (backoff.type === 'fixed') return;
  requireDelay(backoff.maxDelayMs, `${option}.maxDelayMs`, true);
  const { jitter = DEFAULT_JITTER } = backoff;
  if (!(jitter >= 0 && jitter <= 1))
    throw new InvalidOptionError(`${option}.jitter`, jitter, 'a number from 0 to 1');
}

function isBackoffObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  return value.type === 'exponential' || value.type === 'fixed';
}

function requireDelay(value: number | undefined, option: string, optional: boolean): void {
  if (optional && value === undefined) return;
  if (isDelay(value)) return;
  throw new InvalidOptionError(option, value, `a number of milliseconds from 0 to ${MAX_DELAY_MS}`);
}

/** Whether a value is a delay that can be stored. */
export function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_DELAY_MS;
}

function callBackoff(backoff: (failures: number) => number, failures: number): number | undefined {
  try {
    const delayMs = backoff(failures);
    return isDelay(delayMs) ? delayMs : undefined;
  } catch {
    return undefined;
  }
}

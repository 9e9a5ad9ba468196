import { random } from '../async/pauses.js';
import { allow, isObject, type OptionCheck } from './option-checks.js';
import { resolveByRules, type OptionRules } from './option-rules.js';

/** `delayMs`, twice that, four times and so on. */
export interface ExponentialBackoff {
  readonly type: 'exponential';
  /** The first wait, in milliseconds. Default 5000. */
  readonly delayMs?: number;
  /** The longest wait, in milliseconds. Default: an hour. */
  readonly maxDelayMs?: number;
  /** Up to this share of the wait, 0 to 1, is added at random, so that jobs that failed together come back apart. Default 0.2. */
  readonly jitter?: number;
}

/** Always `delayMs`. */
export interface FixedBackoff {
  readonly type: 'fixed';
  readonly delayMs: number;
}

/** A backoff as data, which can be stored with a job. */
export type StoredBackoff = ExponentialBackoff | FixedBackoff;

/**
 * How long to wait before the next attempt. A function gets the number of failures so far, 1 after the first one, and
 * returns milliseconds.
 *
 * Whatever it says, no attempt starts sooner than the module's `minRetryDelayMs`.
 */
export type Backoff = StoredBackoff | ((failures: number) => number);

/** A hundred years: a longer delay is a mistake, and every database can still add this one to today. */
export const MAX_DELAY_MS = 100 * 365 * 86_400_000;

export const DEFAULT_BACKOFF: Backoff = { type: 'exponential' };

const delay = allow(`a number of milliseconds from 0 to ${MAX_DELAY_MS}`, isDelay);
const share = allow('a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1);
const anyType: OptionCheck = () => undefined; // `checkBackoff` has looked at it

const EXPONENTIAL_RULES = {
  type: { check: anyType },
  delayMs: { default: 5_000, check: delay },
  maxDelayMs: { default: 3_600_000, check: delay },
  jitter: { default: 0.2, check: share },
} satisfies OptionRules<ExponentialBackoff>;

const FIXED_RULES = {
  type: { check: anyType },
  delayMs: { check: delay },
} satisfies OptionRules<FixedBackoff>;

const knownBackoff = allow(
  "a function, { type: 'fixed', delayMs } or { type: 'exponential', delayMs?, maxDelayMs?, jitter? }",
  (value) => isObject(value) && 'type' in value && (value.type === 'exponential' || value.type === 'fixed'),
);

/**
 * @param chance from 0 to 1
 * @returns milliseconds, from 0 to `MAX_DELAY_MS`; the default's where a function of the user's throws, or returns no delay
 */
export function backoffDelayMs(backoff: Backoff, failures: number, chance = random): number {
  if (typeof backoff === 'function')
    return callBackoff(backoff, failures) ?? backoffDelayMs(DEFAULT_BACKOFF, failures, chance);
  if (backoff.type === 'fixed') return backoff.delayMs;
  const {
    delayMs = EXPONENTIAL_RULES.delayMs.default,
    maxDelayMs = EXPONENTIAL_RULES.maxDelayMs.default,
    jitter = EXPONENTIAL_RULES.jitter.default,
  } = backoff;
  const full = Math.min(delayMs * 2 ** Math.min(failures - 1, 40), maxDelayMs);
  return Math.min(Math.round(full * (1 + jitter * chance())), MAX_DELAY_MS);
}

/** Whether what is stored with a job is a backoff: rows may have been written by hand. */
export function isStoredBackoff(value: unknown): value is StoredBackoff {
  try {
    checkBackoff(value, 'backoff');
    return true;
  } catch {
    return false;
  }
}

/** @throws InvalidOptionError */
export function checkBackoff(value: unknown, option: string): void {
  if (typeof value === 'function') return;
  knownBackoff(value, option, undefined);
  const backoff = value as StoredBackoff;
  const names = { prefix: `${option}.` };
  if (backoff.type === 'exponential') {
    resolveByRules(backoff, EXPONENTIAL_RULES, names);
  } else {
    resolveByRules(backoff, FIXED_RULES, names);
    delay(backoff.delayMs, `${option}.delayMs`, undefined); // has no default
  }
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

import { InvalidJobError } from '../job/errors.js';
import { describeType, millisOf } from '../job/names.js';
import type { PauseTerms } from '../queue/kind-store.js';
import { requireReason } from './reason.js';
import { requireWaitOptions, type WaitTerms } from './wait-options.js';
import type { EnqueueManyOptions } from './write-target.js';

export interface PauseKindOptions extends EnqueueManyOptions {
  /** When the pause ends by itself, by the clock of the database. Default: with `resume`. */
  readonly until?: Date;
  /** For those who look at it later, and in the `JobPausedError` of jobs that are stopped. At most 1,000 characters. */
  readonly reason?: string;
  /**
   * Also stop the jobs that run: their signals abort with a `JobPausedError`, and each is given back when its
   * handler has ended, with no attempt spent. Default false: they run to their end.
   */
  readonly stopRunning?: boolean;
  /**
   * Resolve when every live worker obeys: from then on not one job of the kind starts. Not in a transaction, in which no
   * worker sees the pause. Default false: resolve when it is written.
   */
  readonly wait?: boolean;
  /** With `wait`: how long to wait, in milliseconds. Default 60,000; `Infinity` without end. */
  readonly timeoutMs?: number;
  /** With `wait`: ends the waiting, and not the pause. The call rejects with its reason. */
  readonly signal?: AbortSignal;
}

export interface DrainKindOptions {
  /** How long to wait, in milliseconds. Default: without end. */
  readonly timeoutMs?: number;
  /** Ends the waiting: the call rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** `PauseKindOptions` as they are carried out. */
export interface PauseOrder {
  readonly terms: PauseTerms;
  readonly target: EnqueueManyOptions;
  readonly waits: boolean;
  readonly waiting: WaitTerms;
}

const WAIT_MS = 60_000;

/** @throws InvalidJobError */
export function requirePauseOptions(options: PauseKindOptions): PauseOrder {
  const { until, reason, stopRunning, wait, timeoutMs, signal, ...target } = options;
  const waits = requireFlag(wait, 'wait');
  for (const [name, value] of Object.entries({ timeoutMs, signal }))
    if (value !== undefined && !waits) throw new InvalidJobError(name, 'is given without wait: true.');
  return {
    terms: {
      until: until === undefined ? null : requireInstant(until),
      reason: requireReason(reason, InvalidJobError),
      stopsRunning: requireFlag(stopRunning, 'stopRunning'),
    },
    target,
    waits,
    waiting: requireWaitOptions({ timeoutMs, signal }, WAIT_MS),
  };
}

function requireFlag(value: unknown, path: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new InvalidJobError(path, `is ${describeType(value)}; it must be true or false.`);
}

/** What every database can hold. */
const LAST_INSTANT = Date.UTC(9999, 11, 31);

function requireInstant(value: unknown): Date {
  if (value instanceof Date) {
    const millis = millisOf(value);
    if (millis >= 0 && millis <= LAST_INSTANT) return new Date(millis);
  }
  throw new InvalidJobError('until', `is ${describeType(value)}; it must be a Date from 1970 to 9999.`);
}

import type { Backoff } from '../job/retry.js';

/** What decides the outcome of an attempt: the options of the handler, and those of the module. */
export interface AttemptPolicy {
  /** How many attempts may fail. Undefined: a plain error fails at once, a `RetryableError` comes back without end. */
  readonly maxAttempts?: number;
  readonly backoff?: Backoff;
  /** Undefined: as long as it takes. */
  readonly timeoutMs?: number;
  /** The handler runs in a transaction, which its outcome is part of. Default false. */
  readonly transactional?: boolean;
  /** Whether what the handler returns is stored. Default true. */
  readonly keepResult?: boolean;
  readonly minRetryDelayMs: number;
  readonly maxPayloadBytes: number;
  /** Undefined leaves the decision to the default. */
  readonly isPanic?: (error: unknown) => boolean | undefined;
}

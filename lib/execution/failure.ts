import { describeError, readProperty, storableText } from '../job/describe-error.js';
import { CancelJobError } from '../job/control-errors.js';
import { PermanentError, RetryableError } from '../job/errors.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { isPanicByDefault } from '../job/panic.js';
import { backoffDelayMs, DEFAULT_BACKOFF, isDelay, isStoredBackoff, type Backoff } from '../job/retry.js';
import type { AttemptPolicy } from './attempt-policy.js';

/** What an error of the handler means for its job. Never throws, whatever the error is. */
export function outcomeOfError(error: unknown, job: ClaimedJob, policy: AttemptPolicy): Outcome {
  if (error instanceof CancelJobError) return { type: 'cancelled', reason: reasonOf(error) };
  const lastError = describeError(error);
  if (error instanceof PermanentError) return { type: 'failed', lastError };
  if (!(error instanceof RetryableError) && isPanic(error, policy)) {
    return { type: 'panic', lastError: storableText(`panic: ${lastError}`) };
  }
  if (!mayTryAgain(error, job, policy)) return { type: 'failed', lastError };
  const maxAttempts = maxAttemptsOf(job, policy);
  return { type: 'retry', delayMs: retryDelayMs(error, job, policy), lastError, maxAttempts };
}

function isPanic(error: unknown, policy: AttemptPolicy): boolean {
  try {
    return policy.isPanic?.(error) ?? isPanicByDefault(error);
  } catch {
    return isPanicByDefault(error);
  }
}

function mayTryAgain(error: unknown, job: ClaimedJob, policy: AttemptPolicy): boolean {
  const maxAttempts = maxAttemptsOf(job, policy);
  return maxAttempts === undefined ? error instanceof RetryableError : failuresOf(job) < maxAttempts;
}

function maxAttemptsOf(job: ClaimedJob, policy: AttemptPolicy): number | undefined {
  return job.maxAttempts ?? policy.maxAttempts;
}

function retryDelayMs(error: unknown, job: ClaimedJob, policy: AttemptPolicy): number {
  const asked = error instanceof RetryableError ? readProperty(error, 'retryAfterMs') : undefined;
  const delayMs = isDelay(asked) ? asked : backoffDelayMs(backoffOf(job, policy), failuresOf(job));
  return Math.ceil(Math.max(delayMs, policy.minRetryDelayMs));
}

function backoffOf({ backoff }: ClaimedJob, policy: AttemptPolicy): Backoff {
  return backoff !== undefined && isStoredBackoff(backoff) ? backoff : (policy.backoff ?? DEFAULT_BACKOFF);
}

/**
 * This one included. An attempt whose worker died is no failure of the handler, and one from before the job was retried by
 * hand does not count.
 */
function failuresOf({ attemptsDone, crashes, attemptsBefore = 0 }: ClaimedJob): number {
  return attemptsDone - attemptsBefore - crashes + 1;
}

function reasonOf(error: CancelJobError): string {
  const reason = readProperty(error, 'reason');
  return storableText(typeof reason === 'string' ? reason : error.message);
}

import type { EntityManager } from 'typeorm';
import type { Attempt } from '../job/attempt.js';
import { describeError } from '../job/describe-error.js';
import { TransactionUndoneError } from '../job/errors.js';
import type { JobsLogger } from '../job/logger.js';
import type { Outcome } from '../job/outcome.js';
import { sleep } from '../job/timers.js';
import type { JobQueue } from './job-queue.js';

/** So often the handler is called in all, where the database undoes its transaction; then the attempt has failed. */
const MAX_CALLS = 3;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;

/**
 * Runs an attempt in a transaction that its outcome is part of. Where the database undoes that, nothing was written and no
 * attempt is spent: the handler is called again. Where it cannot begin one, it is asked again until the signal aborts.
 *
 * @returns whether the outcome was written; or an outcome that is still to be written, where the transaction was rolled back
 */
export async function runJointly(
  attempt: Attempt,
  alone: boolean,
  queue: Pick<JobQueue, 'settleTogether'>,
  logger: JobsLogger,
): Promise<'written' | 'lost' | Outcome> {
  const { id, kind, leaseToken, attemptsDone } = attempt.job;
  const { signal } = attempt;
  const work = (manager: EntityManager) => attempt.call(manager).finally(() => attempt.ended);
  let calls = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await queue.settleTogether({ id, leaseToken, alone, attemptsDone, signal }, work);
    } catch (error) {
      if (!(error instanceof TransactionUndoneError)) return attempt.outcomeOf(error);
      if (error.begun) calls += 1;
      if (calls >= MAX_CALLS) return attempt.outcomeOf(error.cause);
      const name = `job ${id} (kind ${kind}, attempt ${attemptsDone + 1})`;
      const reason = describeError(error.cause).split('\n', 1)[0]!;
      logger.warn(
        `The transaction of ${name} was undone by the database, or could not begin; again: ${reason}`,
      );
      await sleep(pauseMs * (0.75 + Math.random() / 2), signal);
    }
  }
}

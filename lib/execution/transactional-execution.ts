import type { EntityManager } from 'typeorm';
import { ExponentialPause } from '../async/pauses.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { TransactionUndoneError } from '../job/storage-errors.js';
import type { Outcome } from '../job/outcome.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { HeldJob } from './held-job.js';
import type { NoteWriter } from './note-writer.js';

/** How often the handler is called in all where the database undoes its transaction; then the attempt has failed. */
const MAX_CALLS = 3;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;

/**
 * Runs an attempt in a transaction that its outcome is part of. Where the database undoes that transaction, nothing was
 * written and no attempt is spent: the handler is called again. Where it cannot begin one, it is asked again until the
 * signal aborts.
 *
 * @returns what has become of the outcome; or an outcome that is still to be written, where the transaction was rolled back
 */
export async function runInTransaction(
  heldJob: HeldJob,
  queue: Pick<JobQueue, 'runAndSettle'>,
  events: JobsEvents,
  { deletes, notes, onBegin }: TransactionalTerms = {},
): Promise<'written' | 'lost' | Outcome> {
  const { attempt, alone } = heldJob;
  const { id, leaseToken, lockedBy, attemptsDone } = attempt.job;
  const { signal } = attempt;
  const work = async (manager: EntityManager) => {
    onBegin?.();
    const returned = await attempt.call(manager).finally(() => attempt.ended);
    if (attempt.notes !== undefined) await notes?.flush([heldJob]);
    heldJob.isCommitting = true;
    return returned;
  };
  const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  let calls = 0;
  for (;;) {
    try {
      const lease = { id, leaseToken, lockedBy, alone };
      return await queue.runAndSettle({ ...lease, attemptsDone, signal, deletes }, work);
    } catch (error) {
      heldJob.isCommitting = false;
      if (!(error instanceof TransactionUndoneError)) return attempt.outcomeOf(error);
      if (error.begun) calls += 1;
      if (calls >= MAX_CALLS) return attempt.outcomeOf(error.cause);
      events.emit('transactionUndone', { job: attempt.job, error: error.cause });
      await pause.wait(signal);
    }
  }
}

export interface TransactionalTerms {
  /** Whether the job is deleted when it is done. Default: false. */
  readonly deletes?: boolean;
  /** Writes what the handler has noted, before its outcome and beside the transaction. */
  readonly notes?: Pick<NoteWriter, 'flush'>;
  /** Is called when a transaction has begun, before the handler. What it throws keeps the handler from being called. */
  readonly onBegin?: () => void;
}

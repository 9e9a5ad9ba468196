import { sleep, unlessAborted, withTimeLimit } from '../async/timers.js';
import { ApplicationClosedError } from '../job/application-errors.js';

const PAUSE_MS = 200;

export interface PollTerms {
  /** `Infinity` without end. */
  readonly timeoutMs: number;
  /** Ends the waiting: the call rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Whether the application closes the database, or has closed it. Default: never. */
  readonly isClosed?: () => boolean;
}

/**
 * Looks five times a second until a look answers yes. A look that fails is done again: the database may be down for a
 * moment.
 *
 * @param lateError for when the time is up; it is given what the last look failed with, if that failed
 */
export async function pollUntil(
  look: () => Promise<boolean>,
  { timeoutMs, signal, isClosed }: PollTerms,
  lateError: (cause: unknown) => Error,
): Promise<void> {
  const over = new AbortController();
  let failure: unknown;
  const looking = async () => {
    for (;;) {
      if (isClosed?.() === true) throw new ApplicationClosedError();
      try {
        if (await look()) return;
        failure = undefined;
      } catch (error) {
        failure = error;
      }
      if (!(await sleep(PAUSE_MS, over.signal))) return;
    }
  };
  const inTime = withTimeLimit(looking(), timeoutMs, () => lateError(failure));
  try {
    await (signal === undefined ? inTime : unlessAborted(inTime, signal));
  } finally {
    over.abort();
    inTime.catch(() => undefined); // where the signal came first: that is told already
  }
}

/** The longest delay that `setTimeout` takes; a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Waits `ms` milliseconds, however many they are, or until the signal aborts.
 * @returns whether the time has passed; false where the signal came first
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve(false);
      return;
    }
    let timer: NodeJS.Timeout;
    const stop = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const wait = (left: number) => {
      timer = setTimeout(
        () => (left > MAX_TIMEOUT_MS ? wait(left - MAX_TIMEOUT_MS) : finish()),
        Math.min(left, MAX_TIMEOUT_MS),
      );
    };
    const finish = () => {
      signal?.removeEventListener('abort', stop);
      resolve(true);
    };
    signal?.addEventListener('abort', stop, { once: true });
    wait(ms);
  });
}

/** Waits until `work` has ended, but not longer than `ms`. @returns whether it has ended; rejects where it rejects in time */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(ms, timer.signal).then(() => false)]);
  } finally {
    timer.abort();
  }
}

import { onTimersReplaced } from './restored-timers.js';

/** The longest delay that `setTimeout` takes; it fires at once for a longer one. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Calls back once after `ms` milliseconds, however many they are; never, for `Infinity`. Where `setTimeout` is a fake that
 * is replaced before it fires, the time begins once more.
 * @returns a function that cancels the call
 */
export function after(ms: number, callback: () => void): () => void {
  if (ms === Infinity) return () => undefined;
  let cancel: () => void;
  const wait = (leftMs: number) => {
    const isLast = leftMs <= MAX_TIMEOUT_MS;
    const next = () => (isLast ? callback() : wait(leftMs - MAX_TIMEOUT_MS));
    cancel = timeout(Math.min(leftMs, MAX_TIMEOUT_MS), next);
  };
  wait(ms);
  return () => cancel();
}

/** One `setTimeout`, of those that there are when it is called. */
function timeout(ms: number, callback: () => void): () => void {
  const clear = globalThis.clearTimeout; // a fake one does not clear timers of Node, nor the other way round
  let isOver = false;
  const end = () => {
    isOver = true;
    clear(timer);
    unwatch?.();
  };
  const timer = setTimeout(() => {
    if (isOver) return;
    end();
    callback();
  }, ms);
  let cancel = end;
  const unwatch = onTimersReplaced(() => {
    end();
    cancel = timeout(ms, callback);
  });
  return () => cancel();
}

/**
 * Waits `ms` milliseconds, or until the signal aborts.
 * @returns whether the time has passed; false where the signal came first
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve(false);
      return;
    }
    const stop = () => {
      cancel();
      resolve(false);
    };
    const cancel = after(ms, () => {
      signal?.removeEventListener('abort', stop);
      resolve(true);
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Waits until `work` has settled, but not longer than `ms`.
 * @returns whether it has settled; rejects where it rejects in time
 */
export function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  return raced(
    work.then(() => true),
    ms,
    (resolve) => resolve(false),
  );
}

/** Waits for `work`, but not longer than `ms`. Rejects with the error that `lateError` makes where that takes longer. */
export function withTimeLimit<T>(work: Promise<T>, ms: number, lateError: () => Error): Promise<T> {
  return raced(work, ms, (_resolve, reject) => reject(lateError()));
}

async function raced<T>(
  work: Promise<T>,
  ms: number,
  onLate: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  if (ms === Infinity) return work;
  let cancel!: () => void;
  const late = new Promise<T>((resolve, reject) => {
    cancel = after(ms, () => onLate(resolve, reject));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}

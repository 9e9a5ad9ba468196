import { deferred } from '../async/deferred.js';

/** The part of an RxJS Observable that is used. */
interface Observable {
  subscribe(observer: {
    next(value: unknown): void;
    error(error: unknown): void;
    complete(): void;
  }): { unsubscribe(): void } | undefined;
}

/** Whether a value is what Nest subscribes to where a route returns it. */
export function isObservable(value: unknown): value is Observable {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Observable>).subscribe === 'function'
  );
}

/**
 * Subscribes, and resolves to the last value when it completes: undefined where there was none. Rejects with its error, and
 * with the reason of the signal where that aborts first; then it is unsubscribed.
 */
export async function lastValueOf(observable: Observable, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  const end = deferred<unknown>();
  const giveUp = () => end.reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  let last: unknown;
  const subscription = observable.subscribe({
    next: (value) => (last = value),
    error: end.reject,
    complete: () => end.resolve(last),
  });
  try {
    return await end.promise;
  } finally {
    signal.removeEventListener('abort', giveUp);
    subscription?.unsubscribe();
  }
}

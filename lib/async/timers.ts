import { clearImmediate, clearTimeout as clearReal, setImmediate } from 'node:timers';
import { areTimersFake, onTimersReplaced } from './restored-timers.js';
import { isTestRun } from './test-run.js';

/** The longest delay that `setTimeout` takes; it fires at once for a longer one. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Calls back once after `ms` milliseconds, however many they are: never, for `Infinity`, and at once where they are less than
 * none. Where `setTimeout` is a fake that is replaced before it fires, the time begins once more.
 * @returns a function that cancels the call
 */
export function after(ms: number, callback: () => void): () => void {
  if (ms === Infinity) return () => undefined;
  const inMs = Math.max(0, ms); // later versions of Node warn of a negative one
  if (inMs <= MAX_TIMEOUT_MS && !areTimersFake()) return afterReal(inMs, callback);
  const alarm = new Alarm(inMs, callback);
  return () => alarm.cancel();
}

/** The same with Node's own `setTimeout`, and no more than it takes: each statement has a limit. */
function afterReal(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  if (isTestRun) timer.unref();
  return () => clearReal(timer);
}

class Alarm {
  private timer: NodeJS.Timeout | undefined;
  /** A fake one does not clear timers of Node, nor the other way round. */
  private clear = globalThis.clearTimeout;
  private unwatch: (() => void) | undefined;

  constructor(
    private leftMs: number,
    private readonly callback: () => void,
  ) {
    this.set();
  }

  cancel(): void {
    this.clear(this.timer);
    this.timer = undefined;
    this.unwatch?.();
  }

  /** Sets a timeout, of those that there are now. */
  private set(): void {
    this.clear = globalThis.clearTimeout;
    const timer = setTimeout(() => this.rang(timer), Math.min(this.leftMs, MAX_TIMEOUT_MS));
    this.timer = timer;
    if (isTestRun) (timer as Partial<NodeJS.Timeout>).unref?.(); // a number in some environments
    this.unwatch = onTimersReplaced(() => {
      this.cancel();
      this.set();
    });
  }

  private rang(timer: NodeJS.Timeout): void {
    if (timer !== this.timer) return; // a fake one that could not be cleared
    this.cancel();
    this.leftMs -= MAX_TIMEOUT_MS;
    if (this.leftMs > 0) this.set();
    else this.callback();
  }
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
 * Waits until `work` has settled, but not longer than `ms`. What came while the process stood still is in time; see
 * `answeredWithin`.
 * @returns whether it has settled; rejects where it rejects in time
 */
export function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  return raced(
    work,
    (isUp) => afterReading(ms, isUp),
    () => true,
    (resolve) => resolve(false),
  );
}

/** Waits for `work`. Rejects with the reason of the signal where that aborts first. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop!: () => void;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Waits for `work`, but not longer than `ms`. Rejects with the error that `lateError` makes where that takes longer. */
export function withTimeLimit<T>(work: Promise<T>, ms: number, lateError: () => Error): Promise<T> {
  return limited(work, (isUp) => after(ms, isUp), lateError);
}

/** As `withTimeLimit`, for an answer from outside. One that came while the process stood still is in time. */
export function answeredWithin<T>(answer: Promise<T>, ms: number, lateError: () => Error): Promise<T> {
  return limited(answer, (isUp) => afterReading(ms, isUp), lateError);
}

/** Calls back when the time is up. @returns a function that cancels the call */
type Limit = (isUp: () => void) => () => void;

function limited<T>(work: Promise<T>, limit: Limit, lateError: () => Error): Promise<T> {
  return raced(
    work,
    limit,
    (value) => value,
    (_resolve, reject) => reject(lateError()),
  );
}

/** Each statement and each connection is raced: this costs half of what `Promise.race` would. */
function raced<T, Answer>(
  work: Promise<T>,
  limit: Limit,
  answerOf: (value: T) => Answer,
  onLate: (resolve: (answer: Answer) => void, reject: (error: Error) => void) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lift = limit(() => onLate(resolve, reject));
    work.then(
      (value) => {
        lift();
        resolve(answerOf(value));
      },
      () => {
        lift();
        resolve(work as Promise<never>); // and so rejects as that did
      },
    );
  });
}

/**
 * As `after`. A process that stood still (stopped, or on a machine that was) finds its timers late before it reads what has
 * arrived meanwhile. So by as much as the timer was late, this waits once more: at least until what has arrived is read.
 */
function afterReading(ms: number, callback: () => void): () => void {
  const end = performance.now() + ms;
  let cancel = after(ms, () => {
    const lateMs = Math.min(performance.now() - end, ms);
    cancel = lateMs < 1 ? whenRead(callback) : after(lateMs, callback);
  });
  return () => cancel();
}

function whenRead(callback: () => void): () => void {
  const turn = setImmediate(callback);
  return () => clearImmediate(turn);
}

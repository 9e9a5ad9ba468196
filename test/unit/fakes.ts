import type { ClaimedJob } from '../../lib/job/job.js';

/** A job as a claim gives it, on its first attempt. */
export function claimedJob(fields: Partial<ClaimedJob> = {}): ClaimedJob {
  const now = new Date();
  return {
    id: 'job-1',
    kind: 'mail',
    payload: undefined,
    payloadVersion: 1,
    runAt: now,
    status: 'PENDING',
    createdAt: now,
    updatedAt: now,
    attemptsDone: 0,
    priority: 0,
    crashes: 0,
    lockedBy: 'worker-1',
    lockedUntil: new Date(now.getTime() + 30_000),
    leaseToken: 1,
    ...fields,
  };
}

/** A promise that a test settles by hand. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** Lets every promise go on that can go on by now. Works with fake timers as well, which leave `setImmediate` alone. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** For `jest.useFakeTimers`: time stands still, promises go on. */
export const FAKE_TIMERS = { doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] } satisfies {
  doNotFake: ('setImmediate' | 'nextTick' | 'queueMicrotask')[];
};

/** What a call throws; fails where it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

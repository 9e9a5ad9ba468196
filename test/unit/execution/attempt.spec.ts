import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { delay, EMPTY, Observable, of, throwError } from 'rxjs';
import { deferred } from '../../../lib/async/deferred.js';
import { Attempt, type AttemptPolicy } from '../../../lib/execution/attempt.js';
import {
  JobTimeoutError,
  WorkerStoppedError,
  PermanentError,
  RetryableError,
} from '../../../lib/job/errors.js';
import type { ClaimedJob, JobContext } from '../../../lib/job/job.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import { claimedJob, FAKE_TIMERS, POLICY, turn } from '../fakes.js';

const FIXED = (delayMs: number) => ({ type: 'fixed', delayMs }) as const;

interface Given {
  readonly job?: Partial<ClaimedJob>;
  readonly policy?: Partial<AttemptPolicy>;
}

const attempt = (handler: (job: ClaimedJob, context: JobContext) => unknown, given: Given = {}): Attempt =>
  new Attempt(claimedJob(given.job), handler, { ...POLICY, ...given.policy });

const outcomeOf = (error: unknown, given?: Given): Promise<Outcome> =>
  attempt(() => Promise.reject(error), given).run(); // eslint-disable-line @typescript-eslint/prefer-promise-reject-errors

const refuse = (): never => {
  throw new Error('not yours');
};
const THROWING = { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse };

function hiding(error: Error): Error {
  const read = [
    'stack',
    'name',
    'message',
    'cause',
    'code',
    'errors',
    'constructor',
    'retryAfterMs',
    'fatal',
  ];
  for (const key of read) Object.defineProperty(error, key, { get: refuse });
  return error;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

afterEach(() => {
  jest.useRealTimers();
});

describe('an attempt whose handler returns', () => {
  it('is done, with what was returned as the result', async () => {
    expect(await attempt(() => ({ sent: 2 })).run()).toEqual({
      type: 'done',
      result: { json: '{"sent":2}', bytes: null },
    });
    expect(await attempt(() => Promise.resolve(null)).run()).toMatchObject({ result: { json: 'null' } });
    expect(await attempt(() => undefined).run()).toMatchObject({ result: { json: null, bytes: null } });
  });

  it('is done with bytes where bytes were returned', async () => {
    const bytes = new Uint8Array([0, 255]);
    expect(await attempt(() => bytes).run()).toMatchObject({ type: 'done', result: { bytes } });
  });

  it('counts as failed where the result cannot be stored', async () => {
    const outcome = await attempt(() => ({ total: NaN })).run();
    expect(outcome).toMatchObject({ type: 'failed' });
    expect(outcome).toHaveProperty(
      'lastError',
      expect.stringMatching(/^InvalidJobError: result\.total is NaN/),
    );
    const tooLarge = await attempt(() => 'x'.repeat(999)).run();
    expect(tooLarge).toHaveProperty('lastError', expect.stringContaining('maxPayloadBytes allows 1000'));
  });

  it('is tried again where the result cannot be stored and attempts are left', async () => {
    expect(await attempt(() => 1n, { policy: { maxAttempts: 2 } }).run()).toMatchObject({ type: 'retry' });
  });
});

describe('an attempt', () => {
  it('hands the job and its context to the handler', async () => {
    const seen: [ClaimedJob, JobContext][] = [];
    const job = { id: 'a', payload: { n: 1 }, attemptsDone: 2, leaseToken: 9, lockedBy: 'worker-7' };
    await attempt((...given) => void seen.push(given), { job }).run();
    const [[givenJob, context]] = seen as [[ClaimedJob, JobContext]];
    expect(givenJob).toMatchObject({ id: 'a', payload: { n: 1 } });
    expect(context).toMatchObject({ job: givenJob, attempt: 3, leaseToken: 9, workerId: 'worker-7' });
    expect(context.signal.aborted).toBe(false);
    expect(context.signal).toBe(context.signal);
  });

  it('fails for good without calling the handler where the payload cannot be read', async () => {
    const handler = jest.fn();
    const unreadable = new SyntaxError('Unexpected end of JSON input');
    const outcome = await attempt(handler, { job: { unreadable }, policy: { maxAttempts: 9 } }).run();
    expect(outcome).toMatchObject({ type: 'failed' });
    expect(outcome).toHaveProperty('lastError', expect.stringContaining('Unexpected end of JSON input'));
    expect(handler).not.toHaveBeenCalled();
  });

  it('tells whether the handler runs, and when it has ended', async () => {
    const work = deferred<string>();
    const running = attempt(() => work.promise);
    expect(running.hasEnded).toBe(true);
    const outcome = running.run();
    expect(running.hasEnded).toBe(false);
    work.resolve('ok');
    await running.ended;
    expect(running.hasEnded).toBe(true);
    expect(await outcome).toMatchObject({ type: 'done' });
  });
});

describe('an attempt whose handler returns an Observable', () => {
  it('is done with its last value, whether it is returned alone or in a promise', async () => {
    const result = { json: '3', bytes: null };
    expect(await attempt(() => of(1, 2, 3)).run()).toEqual({ type: 'done', result });
    expect(await attempt(() => Promise.resolve(of(3).pipe(delay(1)))).run()).toEqual({
      type: 'done',
      result,
    });
  });

  it('is subscribed to once, with a time limit and without: what it emits is a result', async () => {
    const nested = () => of(of(1));
    const { type } = await attempt(nested).run();
    expect((await attempt(nested, { policy: { timeoutMs: 1_000 } }).run()).type).toBe(type);
    expect(await attempt(nested).run()).not.toMatchObject({ result: { json: '1' } });
    expect(await attempt(nested, { policy: { timeoutMs: 1_000 } }).run()).not.toMatchObject({
      result: { json: '1' },
    });
  });

  it('is done with nothing where that is empty', async () => {
    expect(await attempt(() => EMPTY).run()).toEqual({ type: 'done', result: { json: null, bytes: null } });
  });

  it('fails with its error', async () => {
    const outcome = await attempt(() => throwError(() => new RetryableError('busy'))).run();
    expect(outcome).toMatchObject({ type: 'retry' });
  });

  it('ends, and is unsubscribed, when its time is up', async () => {
    let isSubscribed = false;
    const endless = new Observable<number>(() => {
      isSubscribed = true;
      return () => (isSubscribed = false);
    });
    const timed = attempt(() => endless, { policy: { timeoutMs: 20 } });
    const outcome = timed.run();
    await turn();
    expect(isSubscribed).toBe(true);
    expect(await outcome).toMatchObject({ type: 'failed' });
    await timed.ended;
    expect(isSubscribed).toBe(false);
  });
});

describe('an attempt whose handler throws', () => {
  it('fails on a plain error, with the error as text', async () => {
    const outcome = await outcomeOf(new Error('no such user'));
    expect(outcome.type).toBe('failed');
    expect(outcome).toHaveProperty('lastError', expect.stringMatching(/^Error: no such user\n/));
  });

  it('treats what is thrown at once and what is rejected alike', async () => {
    const thrown = await attempt(() => {
      throw new RetryableError('busy', { retryAfterMs: 9_000 });
    }).run();
    expect(thrown).toMatchObject({ type: 'retry', delayMs: 9_000 });
  });

  it('tries a plain error again until maxAttempts is reached', async () => {
    const policy = { maxAttempts: 3 };
    const typeAfter = async (attemptsDone: number): Promise<string> =>
      (await outcomeOf(new Error('x'), { job: { attemptsDone }, policy })).type;
    expect(await typeAfter(0)).toBe('retry');
    expect(await typeAfter(1)).toBe('retry');
    expect(await typeAfter(2)).toBe('failed');
    expect(await typeAfter(7)).toBe('failed');
  });

  it("asks the job's maxAttempts before the handler's", async () => {
    const fewer = { job: { maxAttempts: 1 }, policy: { maxAttempts: 5 } };
    expect(await outcomeOf(new Error('x'), fewer)).toMatchObject({ type: 'failed' });
    const more = { job: { maxAttempts: 2 }, policy: { maxAttempts: 1 } };
    expect(await outcomeOf(new Error('x'), more)).toMatchObject({ type: 'retry' });
  });

  it('does not count attempts whose worker died as failures', async () => {
    const job = { attemptsDone: 3, crashes: 2 }; // one failure before this one
    const policy = { maxAttempts: 3, backoff: (failures: number) => failures * 10_000 };
    expect(await outcomeOf(new Error('x'), { job, policy })).toMatchObject({
      type: 'retry',
      delayMs: 20_000,
    });
    expect(await outcomeOf(new Error('x'), { job: { ...job, attemptsDone: 4 }, policy })).toMatchObject({
      type: 'failed',
    });
  });

  it.each<[string, () => unknown]>([
    ['a revoked proxy', revoked],
    ['a proxy that answers nothing', () => new Proxy({}, THROWING)],
    ['an error behind such a proxy', () => new Proxy(new Error('x'), THROWING)],
    ['a RetryableError behind a proxy', () => new Proxy(new RetryableError('x'), { get: THROWING.get })],
    ['an error all of whose properties throw', () => hiding(new Error('x'))],
    ['a RetryableError all of whose properties throw', () => hiding(new RetryableError('x'))],
    ['an AggregateError whose list throws', () => hiding(new AggregateError([]))],
  ])('has an outcome for %s', async (_name, make) => {
    for (const isPanic of [undefined, (error: unknown) => (error as { fatal?: boolean }).fatal])
      expect(typeof (await outcomeOf(make(), { policy: { isPanic } })).type).toBe('string');
  });

  it('goes around a retryAfterMs that throws, or changes from one look to the next', async () => {
    class Hostile extends RetryableError {}
    const hostile = (get: () => unknown) =>
      Object.defineProperty(new Hostile('busy'), 'retryAfterMs', { get });
    const throwing = hostile(() => {
      throw new Error('not yours');
    });
    const policy: Partial<AttemptPolicy> = { backoff: { type: 'fixed', delayMs: 7_000 } };
    expect(await outcomeOf(throwing, { policy })).toMatchObject({ type: 'retry', delayMs: 7_000 });
    const values = [9_000, 'soon'];
    expect(await outcomeOf(hostile(() => values.shift()))).toMatchObject({ type: 'retry', delayMs: 9_000 });
  });

  it('lets a RetryableError come back without end where there is no maxAttempts', async () => {
    const outcome = await outcomeOf(new RetryableError(), { job: { attemptsDone: 100_000 } });
    expect(outcome).toMatchObject({ type: 'retry' });
  });

  it('fails on a RetryableError too when maxAttempts is spent', async () => {
    const given = { job: { attemptsDone: 1 }, policy: { maxAttempts: 2 } };
    const outcome = await outcomeOf(new RetryableError('busy', { retryAfterMs: 9_000 }), given);
    expect(outcome.type).toBe('failed');
    expect(outcome).toHaveProperty('lastError', expect.stringMatching(/^RetryableError: busy/));
  });

  it('fails on a PermanentError whatever the policy', async () => {
    const policy = { maxAttempts: 9, isPanic: () => true };
    expect(await outcomeOf(new PermanentError('gone'), { policy })).toMatchObject({ type: 'failed' });
  });
});

describe('the delay before the next attempt', () => {
  it("is the RetryableError's, not the backoff's", async () => {
    const error = new RetryableError('busy', { retryAfterMs: 60_000 });
    expect(await outcomeOf(error, { policy: { backoff: FIXED(7_000) } })).toMatchObject({ delayMs: 60_000 });
  });

  it("is the backoff's where the RetryableError has none, or none that can be stored", async () => {
    for (const retryAfterMs of [undefined, NaN, -1, Infinity]) {
      const outcome = await outcomeOf(new RetryableError('busy', { retryAfterMs }), {
        policy: { backoff: FIXED(7_000) },
      });
      expect(outcome).toMatchObject({ type: 'retry', delayMs: 7_000 });
    }
  });

  it("is the job's own backoff's before the handler's, unless what is stored is none", async () => {
    const policy = { maxAttempts: 9, backoff: FIXED(7_000) };
    const delayWith = async (backoff: unknown) =>
      outcomeOf(new Error('x'), { policy, job: { backoff: backoff as never, attemptsDone: 2 } });
    expect(await delayWith({ type: 'exponential', delayMs: 5_000, jitter: 0 })).toMatchObject({
      delayMs: 20_000,
    });
    for (const stored of [
      undefined,
      null,
      {},
      { type: 'fixed', delayMs: 'soon' },
      { type: 'linear' },
      'fixed',
    ])
      expect(await delayWith(stored)).toMatchObject({ type: 'retry', delayMs: 7_000 });
  });

  it('is about five seconds, doubled with each failure, where nobody says anything', async () => {
    const outcome = await outcomeOf(new RetryableError(), { job: { attemptsDone: 3 } });
    const { delayMs } = outcome as { delayMs: number };
    expect(delayMs).toBeGreaterThanOrEqual(40_000);
    expect(delayMs).toBeLessThanOrEqual(48_000);
  });

  it('is never below minRetryDelayMs', async () => {
    expect(await outcomeOf(new RetryableError('x', { retryAfterMs: 0 }))).toMatchObject({ delayMs: 5_000 });
    const policy = { maxAttempts: 2, backoff: FIXED(1), minRetryDelayMs: 8_000 };
    expect(await outcomeOf(new Error('x'), { policy })).toMatchObject({ delayMs: 8_000 });
  });

  it('is a whole number of milliseconds, rounded up', async () => {
    const error = new RetryableError('x', { retryAfterMs: 6_000.2 });
    expect(await outcomeOf(error)).toMatchObject({ delayMs: 6_001 });
  });
});

describe('a panic', () => {
  it('ends a job whatever its policy, and its error begins with "panic: "', async () => {
    const outcome = await attempt(() => (undefined as unknown as { x: number }).x, {
      policy: { maxAttempts: 9 },
    }).run();
    expect(outcome.type).toBe('panic');
    expect(outcome).toHaveProperty('lastError', expect.stringMatching(/^panic: TypeError: Cannot read/));
    expect(await outcomeOf('blown up')).toEqual({ type: 'panic', lastError: 'panic: blown up' });
  });

  it('keeps its error within 8192 characters', async () => {
    const outcome = (await outcomeOf('x'.repeat(9_000))) as { lastError: string };
    expect(outcome.lastError).toHaveLength(8_192);
    expect(outcome.lastError.startsWith('panic: xxx')).toBe(true);
  });

  it('is what isPanic says', async () => {
    const isPanic = (error: unknown): boolean => (error as Error).message === 'fatal';
    expect(await outcomeOf(new Error('fatal'), { policy: { isPanic } })).toMatchObject({ type: 'panic' });
    expect(await outcomeOf('a text', { policy: { isPanic: () => false } })).toMatchObject({ type: 'failed' });
  });

  it('is decided by default where isPanic returns undefined or throws', async () => {
    const silent = { isPanic: () => undefined };
    const broken = {
      isPanic: () => {
        throw new Error('bug');
      },
    };
    for (const policy of [silent, broken]) {
      expect(await outcomeOf('a text', { policy })).toMatchObject({ type: 'panic' });
      expect(await outcomeOf(new Error('x'), { policy })).toMatchObject({ type: 'failed' });
    }
  });

  it('is never a RetryableError', async () => {
    const outcome = await outcomeOf(new RetryableError(), { policy: { isPanic: () => true } });
    expect(outcome).toMatchObject({ type: 'retry' });
  });
});

describe('an attempt with a time limit', () => {
  it('fails when its time is up, aborts the signal, and throws away what comes later', async () => {
    jest.useFakeTimers(FAKE_TIMERS);
    const work = deferred<string>();
    let signal: AbortSignal | undefined;
    const running = attempt(
      (_job, context) => {
        ({ signal } = context);
        return work.promise;
      },
      { policy: { timeoutMs: 100 } },
    );
    const outcome = running.run();
    await jest.advanceTimersByTimeAsync(99);
    expect(signal?.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await outcome).toMatchObject({ type: 'failed' });
    expect(await outcome).toHaveProperty('lastError', expect.stringContaining('timeoutMs of 100 ms'));
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toBeInstanceOf(JobTimeoutError);
    expect(running.hasEnded).toBe(false);
    work.resolve('too late');
    await running.ended;
    expect(running.hasEnded).toBe(true);
    expect(await outcome).toMatchObject({ type: 'failed' });
  });

  it('is tried again after a time-out where attempts are left', async () => {
    jest.useFakeTimers(FAKE_TIMERS);
    const outcome = attempt(() => new Promise(() => undefined), {
      policy: { timeoutMs: 100, maxAttempts: 2 },
    }).run();
    await jest.advanceTimersByTimeAsync(100);
    expect(await outcome).toMatchObject({ type: 'retry' });
  });

  it('is not troubled by a handler that fails after its time', async () => {
    jest.useFakeTimers(FAKE_TIMERS);
    const work = deferred();
    const running = attempt(() => work.promise, { policy: { timeoutMs: 100 } });
    const outcome = running.run();
    await jest.advanceTimersByTimeAsync(100);
    work.reject(new Error('aborted'));
    await turn();
    expect(await outcome).toHaveProperty('lastError', expect.stringContaining('timeoutMs'));
    expect(running.hasEnded).toBe(true);
  });

  it('leaves no timer behind when the handler ends in time', async () => {
    jest.useFakeTimers(FAKE_TIMERS);
    const policy = { timeoutMs: 60_000 };
    expect(await attempt(() => 'ok', { policy }).run()).toMatchObject({ type: 'done' });
    expect(await outcomeOf(new Error('x'), { policy })).toMatchObject({ type: 'failed' });
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('abort', () => {
  it("aborts the handler's signal with the reason, once", async () => {
    const work = deferred();
    let signal: AbortSignal | undefined;
    const running = attempt((_job, context) => {
      ({ signal } = context);
      return work.promise;
    });
    void running.run();
    const reason = new WorkerStoppedError();
    running.abort(reason);
    running.abort(new Error('a second one'));
    expect(signal?.reason).toBe(reason);
    work.resolve();
    await running.ended;
  });

  it('is seen by a handler that asks for its signal only later', async () => {
    const work = deferred();
    const seen: AbortSignal[] = [];
    const running = attempt(async (_job, context) => {
      await work.promise;
      seen.push(context.signal);
    });
    const outcome = running.run();
    const reason = new WorkerStoppedError();
    running.abort(reason);
    work.resolve();
    await outcome;
    expect(seen[0]).toMatchObject({ aborted: true, reason });
  });
});

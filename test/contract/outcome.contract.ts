import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import { decodeDocument } from '../../lib/job/document.js';
import { JobTimeoutError, PermanentError, RetryableError } from '../../lib/job/errors.js';
import type { JobHandlerOptions } from '../../lib/job/handler-options.js';
import type { JobSettings } from '../../lib/job/job.js';
import { STATUS_AFTER, type Outcome } from '../../lib/job/outcome.js';
import { resolveOptions } from '../../lib/nest/jobs.options.js';
import type { WorkerSettings } from '../../lib/worker/worker-session.js';
import { KIND, LONG, type Store } from '../support/store.js';

/** Promise 4: what becomes of a job when its handler ends. */
export function outcomeContract(store: Store): void {
  /** Enqueues a job and starts a worker with one handler for it. */
  const start = async (
    run: HandlerFn,
    options: JobHandlerOptions = {},
    job: JobSettings = {},
    settings: Partial<WorkerSettings> = {},
  ) => {
    const { id } = await store.client.enqueue(KIND, null, job);
    await store.work({ [KIND]: { run, options } }, settings);
    return id;
  };
  const throwing = (make: () => unknown) => {
    let calls = 0;
    const run = () => {
      calls += 1;
      throw make();
    };
    return { run, calls: () => calls };
  };
  const fault = () => new Error('no');
  const later = () => new RetryableError('later', { retryAfterMs: 0 });

  it('4. Each outcome of a batch is written as it is, whether others are equal to it or not', async () => {
    const bytes = (text: string) => ({ json: null, bytes: new TextEncoder().encode(text) });
    const outcomes: Outcome[] = [
      ...Array.from({ length: 20 }, (): Outcome => ({
        type: 'done',
        result: { json: '{"ok":true}', bytes: null },
      })),
      { type: 'done', result: { json: '{"ok":false}', bytes: null } },
      { type: 'done', result: bytes('raw') },
      { type: 'failed', lastError: '{"ok":true}' },
      { type: 'retry', lastError: 'later', delayMs: 60_000 },
    ];
    await store.client.enqueueMany(outcomes.map(() => ({ kind: KIND })));
    const jobs = await store.queue.claim([KIND], outcomes.length, LONG);
    const answers = await store.queue.settle(jobs.map((job, n) => ({ ...job, outcome: outcomes[n]! })));
    expect(new Set(answers)).toEqual(new Set(['written']));
    for (const [n, { id, runAt }] of jobs.entries()) {
      const outcome = outcomes[n]!;
      const job = await store.job(id);
      expect(job).toMatchObject({ status: STATUS_AFTER[outcome.type], attemptsDone: 1 });
      if (outcome.type === 'done')
        expect(job.result).toEqual(decodeDocument(outcome.result.json, outcome.result.bytes));
      else if (outcome.type === 'cancelled') expect(job.cancelReason).toBe(outcome.reason);
      else expect(job.lastError).toBe('lastError' in outcome ? outcome.lastError : undefined);
      expect(job.runAt > runAt).toBe(outcome.type === 'retry');
    }
  });

  it('4. Each of many jobs with equal outcomes is retried when it is due', async () => {
    await store.client.enqueueMany(Array.from({ length: 20 }, () => ({ kind: KIND })));
    const jobs = await store.queue.claim([KIND], 20, LONG);
    const outcome: Outcome = { type: 'retry', lastError: 'all of them', delayMs: 60_000 };
    await store.queue.settle(jobs.map((job) => ({ ...job, outcome })));
    for (const { id, runAt } of jobs) {
      const job = await store.job(id);
      expect(job).toMatchObject({ status: 'PENDING', lastError: 'all of them' });
      expect(job.result).toBeUndefined();
      expect(job.runAt.getTime()).toBeGreaterThan(runAt.getTime() + 50_000);
    }
    expect(await store.queue.claim([KIND], 20, LONG)).toEqual([]);
  });

  describe('4. A handler that returns', () => {
    it('leaves the job DONE with its value as the result', async () => {
      const id = await start(async () => ({ sent: true }));
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'DONE', result: { sent: true }, attemptsDone: 1, crashes: 0 });
      expect(job.lastError).toBeUndefined();
      expect(job.lastAttemptAt!.getTime()).toBeGreaterThanOrEqual(job.createdAt.getTime());
    });

    it('may return no promise, or nothing', async () => {
      const id = await start(() => undefined);
      const job = await store.ended(id);
      expect(job.status).toBe('DONE');
      expect(job.result).toBeUndefined();
    });
  });

  describe('4. A handler that throws RetryableError', () => {
    it('leaves the job PENDING until retryAfterMs is over, without a limit if there is no policy', async () => {
      const id = await start((_job, { attempt }) => {
        if (attempt <= 6) throw later();
        return 'at last';
      });
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'DONE', result: 'at last', attemptsDone: 7 });
      expect(job.lastError).toMatch(/^RetryableError: later/);
    });

    it('is ready again after 10 seconds by the clock of the store', async () => {
      const { run, calls } = throwing(() => new RetryableError('later', { retryAfterMs: 10_000 }));
      const id = await start(run);
      const { status, runAt, updatedAt, lastError } = await store.attempted(id);
      expect(status).toBe('PENDING');
      expect(Math.abs(runAt.getTime() - updatedAt.getTime() - 10_000)).toBeLessThanOrEqual(1);
      expect(lastError).toMatch(/^RetryableError: later/);
      expect(calls()).toBe(1);
    });

    it('is not ready sooner than the 5 seconds of the default minRetryDelayMs', async () => {
      const { minRetryDelayMs } = resolveOptions().worker;
      const id = await start(throwing(later).run, {}, {}, { minRetryDelayMs });
      const { runAt, updatedAt } = await store.attempted(id);
      expect(Math.abs(runAt.getTime() - updatedAt.getTime() - 5_000)).toBeLessThanOrEqual(1);
    });

    it('waits as long as the backoff says if retryAfterMs is missing or invalid', async () => {
      for (const retryAfterMs of [undefined, NaN, -5, Infinity]) {
        const { run } = throwing(() => new RetryableError('later', { retryAfterMs }));
        const { id } = await store.client.enqueue(`kind ${retryAfterMs}`);
        const backoff = { type: 'fixed', delayMs: 70_000 } as const;
        await store.work({ [`kind ${retryAfterMs}`]: { run, options: { backoff } } });
        const { runAt, updatedAt } = await store.attempted(id);
        expect(Math.abs(runAt.getTime() - updatedAt.getTime() - 70_000)).toBeLessThanOrEqual(1);
      }
    });

    it("ends FAILED once the handler's maxAttempts are used up", async () => {
      const { run, calls } = throwing(later);
      const id = await start(run, { maxAttempts: 3 });
      expect(await store.ended(id)).toMatchObject({ status: 'FAILED', attemptsDone: 3 });
      expect(calls()).toBe(3);
    });

    it("ends FAILED once the job's maxAttempts are used up", async () => {
      const id = await start(throwing(later).run, {}, { maxAttempts: 2 });
      expect(await store.ended(id)).toMatchObject({ status: 'FAILED', attemptsDone: 2 });
    });
  });

  describe('keepResult: false', () => {
    const returnsNoJson = () => ({ connection: new Map() });

    it('stores no result, and takes one that is not JSON', async () => {
      const id = await start(returnsNoJson, { keepResult: false });
      const job = await store.ended(id);
      expect(job.status).toBe('DONE');
      expect(job.result).toBeUndefined();
      expect(job.lastError).toBeUndefined();
    });

    it('holds for a dequeue where the queue says so', async () => {
      const queue = store.open({ keepResult: false });
      const { id } = await store.clientOf(queue).enqueue(KIND);
      expect(await queue.dequeue([KIND], returnsNoJson)).toBe(true);
      const job = await queue.get(id);
      expect(job!.status).toBe('DONE');
      expect(job!.result).toBeUndefined();
    });
  });

  describe('4. A handler that throws any other error', () => {
    it('leaves the job FAILED at once if there is no policy', async () => {
      const id = await start(throwing(fault).run);
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(job.lastError).toMatch(/^Error: no\n/);
      expect(job.result).toBeUndefined();
    });

    it("is retried until the handler's maxAttempts are used up", async () => {
      const { run, calls } = throwing(fault);
      const id = await start(run, { maxAttempts: 3, backoff: { type: 'fixed', delayMs: 0 } });
      expect(await store.ended(id)).toMatchObject({ status: 'FAILED', attemptsDone: 3 });
      expect(calls()).toBe(3);
    });

    it("is retried as often as the job's maxAttempts allow, which take precedence over the handler's", async () => {
      const backoff = { type: 'fixed', delayMs: 0 } as const;
      const fewer = await start(throwing(fault).run, { maxAttempts: 5, backoff }, { maxAttempts: 1 });
      expect(await store.ended(fewer)).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      const more = await store.client.enqueue(KIND, null, { maxAttempts: 7 });
      expect(await store.ended(more.id)).toMatchObject({ status: 'FAILED', attemptsDone: 7 });
    });

    it('waits as long as the backoff says for the number of failures, not counting crashes', async () => {
      const id = 'crashed before';
      await store.client.enqueue(KIND, null, { id });
      await store.claimOne({ workerId: 'dead', leaseMs: 0 });
      await store.reclaimed(1);
      const asked: number[] = [];
      const backoff = (failures: number) => {
        asked.push(failures);
        return 0;
      };
      await store.work({ [KIND]: { run: throwing(fault).run, options: { maxAttempts: 3, backoff } } });
      expect(await store.ended(id)).toMatchObject({ status: 'FAILED', attemptsDone: 4, crashes: 1 });
      expect(asked).toEqual([1, 2]);
    });

    it("waits as long as the job's backoff says, which takes precedence over the handler's", async () => {
      const options = { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } } as const;
      const backoff = { type: 'exponential', delayMs: 40_000, jitter: 0 } as const;
      const id = await start(throwing(fault).run, options, { backoff });
      const { status, runAt, updatedAt, backoff: stored } = await store.attempted(id);
      expect(status).toBe('PENDING');
      expect(Math.abs(runAt.getTime() - updatedAt.getTime() - 40_000)).toBeLessThanOrEqual(1);
      expect(stored).toEqual(backoff);
    });

    it('never comes back sooner than minRetryDelayMs, no matter what the backoff says', async () => {
      const options = { maxAttempts: 2, backoff: () => 0 };
      const id = await start(throwing(fault).run, options, {}, { minRetryDelayMs: 30_000 });
      const { status, runAt, updatedAt } = await store.attempted(id);
      expect(status).toBe('PENDING');
      expect(Math.abs(runAt.getTime() - updatedAt.getTime() - 30_000)).toBeLessThanOrEqual(1);
    });

    it('keeps the last error even if a later attempt succeeds', async () => {
      const id = await start(
        (_job, { attempt }) => {
          if (attempt < 3) throw new Error(`attempt ${attempt}`);
          return 'fine';
        },
        { maxAttempts: 3, backoff: { type: 'fixed', delayMs: 0 } },
      );
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'DONE', result: 'fine', attemptsDone: 3 });
      expect(job.lastError).toMatch(/^Error: attempt 2\n/);
    });

    it('fails with JobTimeoutError and an aborted signal when its timeoutMs is over', async () => {
      let reason: unknown;
      const run: HandlerFn = (_job, { signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            resolve();
          });
        });
      const id = await start(run, { timeoutMs: 60 });
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(job.lastError).toMatch(/^JobTimeoutError: .* 60 ms/);
      expect(reason).toBeInstanceOf(JobTimeoutError);
    });

    it('is retried after a time-out, like after any other failure, if attempts are left', async () => {
      const run: HandlerFn = async (_job, { attempt, signal }) => {
        if (attempt === 1) await sleep(60_000, undefined, { signal }).catch(() => undefined);
        return 'in time';
      };
      const backoff = { type: 'fixed', delayMs: 0 } as const;
      const id = await start(run, { timeoutMs: 150, maxAttempts: 2, backoff });
      expect(await store.ended(id)).toMatchObject({ status: 'DONE', attemptsDone: 2, result: 'in time' });
    });
  });

  describe('4. A handler that throws PermanentError', () => {
    it('leaves the job FAILED at once, regardless of the policy', async () => {
      const { run, calls } = throwing(() => new PermanentError('for good', { cause: new TypeError('x') }));
      const id = await start(run, { maxAttempts: 9 }, { maxAttempts: 9 });
      const job = await store.ended(id);
      expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(job.lastError).toMatch(/^PermanentError: for good/);
      expect(job.lastError).toContain('caused by: TypeError: x');
      expect(calls()).toBe(1);
    });
  });

  describe("4. dequeue knows only the job's own retry policy", () => {
    it.each([
      ['returns', () => 'fine', { status: 'DONE', result: 'fine' }],
      ['throws an error', throwing(fault).run, { status: 'FAILED' }],
      ['throws PermanentError', throwing(() => new PermanentError()).run, { status: 'FAILED' }],
      ['throws RetryableError', throwing(later).run, { status: 'PENDING' }],
      ['panics', throwing(() => 'blown up').run, { status: 'PANIC', lastError: 'panic: blown up' }],
    ])('if fn %s', async (_name, fn, expected) => {
      const { id } = await store.client.enqueue(KIND);
      expect(await store.queue.dequeue([KIND], fn)).toBe(true);
      expect(await store.job(id)).toMatchObject({ ...expected, attemptsDone: 1 });
    });
  });
}

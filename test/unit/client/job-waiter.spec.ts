import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { JobWaiter } from '../../../lib/client/job-waiter.js';
import { ApplicationClosedError } from '../../../lib/job/application-errors.js';
import type { JobReader } from '../../../lib/queue/job-reader.js';
import { FAKE_TIMERS, turn } from '../fakes.js';

/** All jobs are there and wait. */
class WaitingJobs implements Pick<JobReader, 'statuses' | 'all'> {
  looks = 0;

  statuses(ids: readonly string[]): Promise<Map<string, 'PENDING'>> {
    this.looks += 1;
    return Promise.resolve(new Map(ids.map((id) => [id, 'PENDING'])));
  }

  all(): Promise<never[]> {
    return Promise.resolve([]);
  }

  logs(): Promise<never[]> {
    return Promise.resolve([]);
  }

  attempts(): Promise<never[]> {
    return Promise.resolve([]);
  }
}

describe('JobWaiter', () => {
  let reader: WaitingJobs;
  let waiter: JobWaiter;

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    reader = new WaitingJobs();
    waiter = new JobWaiter(reader);
  });

  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('leaves no timer behind where the signal comes first, so that the process can end', async () => {
    const controller = new AbortController();
    const waiting = waiter.wait('a', 3_600_000, controller.signal).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_000);
    controller.abort(new Error('the request is gone'));
    expect(await waiting).toEqual(new Error('the request is gone'));
    await turn();
  });

  it('leaves no timer behind where the time is up', async () => {
    const waiting = waiter.wait('a', 1_000).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toMatchObject({ jobId: 'a' });
  });

  it('gives up once the application is closed, however long it was to wait', async () => {
    let isClosed = false;
    waiter = new JobWaiter(reader, { isClosed: () => isClosed });
    const waiting = waiter.wait('a', Infinity).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_000);
    isClosed = true;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toBeInstanceOf(ApplicationClosedError);
  });

  it('looks ever less often, down to twice a second', async () => {
    const controller = new AbortController();
    const waiting = waiter.wait('a', Infinity, controller.signal).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_000);
    const soon = reader.looks;
    await jest.advanceTimersByTimeAsync(60_000);
    const before = reader.looks;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(soon).toBeGreaterThanOrEqual(5);
    expect(reader.looks - before).toBe(20);
    controller.abort();
    await waiting;
  });
});

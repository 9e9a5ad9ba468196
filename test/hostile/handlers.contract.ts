import { describe, expect, it } from '@jest/globals';
import type { Store, TestHandler } from '../support/store.js';
import { until } from '../support/until.js';
import { HOSTILE_HANDLERS } from './hostile-handlers.js';

/** Of the test and not of the queue: on an idle machine an attempt takes a few milliseconds. */
const DEADLINE = { timeoutMs: 10_000, what: 'the attempt has ended' };
const SETTINGS = { concurrency: 5, shutdownTimeoutMs: 50 };

/** Whatever a handler returns, throws or does to what it was given, its job ends and the worker goes on. */
export function handlersContract(store: Store): void {
  it('has each hostile handler once in its table', () => {
    const names = HOSTILE_HANDLERS.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  describe.each(HOSTILE_HANDLERS)('A handler that %s', (_name, run, ends, options = {}) => {
    it('ends its own job alone', async () => {
      await store.reset();
      const handlers: Record<string, TestHandler> = { hostile: { run, options }, good: () => 'fine' };
      await store.client.enqueueMany([
        { kind: 'hostile', id: 'hostile', priority: -1 },
        ...Array.from({ length: 10 }, (_, n) => ({ kind: 'good', id: `good ${n}` })),
      ]);
      await store.work(handlers, SETTINGS);
      await until(async () => (await store.job('hostile')).attemptsDone > 0, DEADLINE);
      const { status, lastError } = await store.job('hostile');
      expect(ends).toContain(status);
      if (status !== 'DONE') expect(typeof lastError).toBe('string');
      for (let n = 0; n < 10; n++) expect(await store.ended(`good ${n}`)).toMatchObject({ status: 'DONE' });
    });
  });
}

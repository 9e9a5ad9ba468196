import { describe, expect, it, jest } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import { ActionBody } from '../../../lib/dashboard/actions/action-body.js';
import { AuditedActions } from '../../../lib/dashboard/actions/audited-actions.js';
import type { JobsSources } from '../../../lib/dashboard/jobs-sources.js';
import { MemoryAudit } from '../../../lib/storage/memory/memory-audit.js';
import { until } from '../../support/until.js';

const ADA = { who: 'ada', mayReveal: true };
const ANSWER = { matched: 5, changed: 4, conflicts: 1 };

describe('An action that takes long', () => {
  const make = (
    retryMany: (filter: object, options: { signal: AbortSignal }) => Promise<unknown>,
    waitMs = 20,
  ) => {
    const audit = new MemoryAudit(() => 0);
    const warnings: string[] = [];
    const sources = { jobs: { retryMany }, queue: { audit } } as unknown as JobsSources;
    const actions = new AuditedActions(
      sources,
      { warn: (text) => void warnings.push(text) },
      () => undefined,
      waitMs,
    );
    const retry = () => actions.carryOut('retry', new ActionBody({ filter: '' }), ADA);
    const entries = async () => (await audit.read(null, 10)).actions;
    return { actions, audit, retry, entries, warnings };
  };

  it('goes on without the page, and the audit tells of its end', async () => {
    const work = deferred<typeof ANSWER>();
    const { retry, entries } = make(() => work.promise);
    expect(await retry()).toEqual({ matched: 0, changed: 0, problems: [], goesOn: true });
    expect(await entries()).toMatchObject([{ who: 'ada', target: 'all jobs', changed: null, problem: null }]);
    work.resolve(ANSWER);
    await until(async () => (await entries())[0]!.changed === 4);
    expect((await entries())[0]!.problem).toContain('1 were left');
  });

  it('tells the audit why it failed, also when nobody waits any more', async () => {
    const work = deferred<never>();
    const { retry, entries } = make(() => work.promise);
    await retry();
    work.reject(new Error('the database is gone'));
    await until(async () => (await entries())[0]!.problem === 'the database is gone');
  });

  it('ends with the application, which waits for that', async () => {
    const work = deferred<never>();
    const { retry, entries, actions } = make((_filter, { signal }) => {
      signal.addEventListener('abort', () => work.reject(signal.reason as Error));
      return work.promise;
    });
    await retry();
    await actions.stop();
    expect(await entries()).toMatchObject([
      { changed: null, problem: expect.stringContaining('what was done until then stays') },
    ]);
    await expect(retry()).rejects.toMatchObject({ code: 'closing' });
  });

  it('is not carried out where it cannot be written down, and is not undone where its end cannot', async () => {
    let calls = 0;
    const { retry, audit, warnings } = make(() => {
      calls += 1;
      return Promise.resolve(ANSWER);
    }, 10_000);
    const broken = jest.spyOn(audit, 'begin').mockRejectedValue(new Error('full'));
    await expect(retry()).rejects.toThrow('full');
    expect(calls).toBe(0);
    broken.mockRestore();
    jest.spyOn(audit, 'end').mockRejectedValue(new Error('full'));
    expect(await retry()).toEqual({ matched: 5, changed: 4, problems: [] });
    expect(warnings).toEqual(['Could not write into the audit what became of action 1: full']);
  });
});

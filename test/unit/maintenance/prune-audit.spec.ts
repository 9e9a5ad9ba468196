import { describe, expect, it } from '@jest/globals';
import { ChorePace } from '../../../lib/maintenance/chore-pace.js';
import { PruneAudit } from '../../../lib/maintenance/prune-audit.js';

const DAY_MS = 24 * 3_600_000;

describe('PruneAudit', () => {
  it('deletes what is older than 90 days until nothing is left, and is due again in an hour', async () => {
    const left = [1_000, 20, 0];
    const ages: number[] = [];
    const prune = (ms: number) => {
      ages.push(ms);
      return Promise.resolve(left.shift()!);
    };
    const chore = new PruneAudit({ prune }, new ChorePace(() => false));
    expect(await chore.run(new AbortController().signal)).toEqual({ dueInMs: 3_600_000, reached: null });
    expect(ages).toEqual([90 * DAY_MS, 90 * DAY_MS, 90 * DAY_MS]);
  });

  it('ends when it is told to, and is due at once', async () => {
    const stopping = new AbortController();
    const prune = () => {
      stopping.abort();
      return Promise.resolve(1_000);
    };
    const chore = new PruneAudit({ prune }, new ChorePace(() => false));
    expect(await chore.run(stopping.signal)).toEqual({ dueInMs: 0, reached: null });
  });
});

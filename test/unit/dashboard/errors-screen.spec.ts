import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { JobsSources } from '../../../lib/dashboard/jobs-sources.js';
import { errorsScreen } from '../../../lib/dashboard/screens/errors-screen.js';
import type { SearchBounds } from '../../../lib/queue/job-reader.js';

/** A table of failed jobs without end, in which each search takes this long. */
const SEARCH_MS = 60;

describe('The screen of errors', () => {
  let now: number;
  let searches: SearchBounds[];
  let left: number;

  const reads = {
    now: () => Promise.resolve(0),
    search: (_conditions: unknown, bounds: SearchBounds) => {
      now += SEARCH_MS;
      searches.push(bounds);
      const count = Math.min(bounds.limit, left);
      left -= count;
      const ids = Array.from({ length: count }, (_, n) => `${searches.length} ${n}`);
      return Promise.resolve({
        ids,
        searched: count,
        reached: left === 0 ? null : `after ${searches.length}`,
      });
    },
    failures: (ids: readonly string[]) =>
      Promise.resolve(
        ids.map((id) => ({ id, kind: 'mail', lastError: 'Error: no', updatedAt: new Date(0) })),
      ),
  };
  const sources = {
    queue: { reads },
    reads: { run: <T>(read: () => Promise<T>) => read() },
  } as unknown as JobsSources;
  const screen = (query = '') => errorsScreen(sources, new URLSearchParams(query));

  beforeEach(() => {
    now = 1_000;
    searches = [];
    left = Infinity;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('ends within a moment with what it has, and says where to go on', async () => {
    const { searched, next, groups } = await screen();
    expect(now - 1_000).toBeLessThanOrEqual(150 + SEARCH_MS);
    expect(searched).toBe(searches.length * searches[0]!.limit);
    expect(groups).toMatchObject([{ count: searched }]);
    expect(next).toBe(`after ${searches.length}`);
    await screen(`after=${next!}`);
    expect(searches.map(({ after }) => after)).toContain(next);
  });

  it('looks at few rows at a time, for a search that is under way is not broken off', async () => {
    await screen();
    for (const { limit, maxSearched } of searches)
      expect([limit <= 250, maxSearched <= 20_000]).toEqual([true, true]);
  });

  it('is whole where there are few', async () => {
    left = 300;
    expect(await screen()).toMatchObject({ searched: 300, next: null });
  });
});

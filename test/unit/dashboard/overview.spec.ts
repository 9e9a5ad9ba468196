import { expect, it } from '@jest/globals';
import type { JobsSources } from '../../../lib/dashboard/jobs-sources.js';
import { Snapshots } from '../../../lib/dashboard/screens/overview.js';

const NOW = Date.UTC(2026, 10, 27, 12);
const MINUTE = 60_000;

it('the overview asks the storage which schedules are overdue, however many there are', async () => {
  const asked: unknown[] = [];
  const nextAt = new Date(NOW - 5 * MINUTE);
  const nothing = async () => [];
  const sources = {
    reads: { run: <T>(read: () => Promise<T>) => read() },
    kinds: { list: nothing, workers: nothing },
    queue: {
      kinds: {
        controls: async () => ({ now: NOW, changed: 0, pauses: [] }),
        history: async () => ({ now: NOW, counts: [] }),
      },
      inspector: {
        overdueSchedules: async (...bounds: number[]) => {
          asked.push(bounds[0]);
          return [{ name: 'z, the last by name', kind: 'report', nextAt, lateMs: 5 * MINUTE }];
        },
      },
    },
  } as unknown as JobsSources;
  const { problems } = await new Snapshots(sources).overview();
  expect(asked).toEqual([MINUTE]);
  expect(problems).toMatchObject([
    { code: 'overdue-schedule', text: expect.stringContaining('z, the last by name') as unknown },
  ]);
});

import { describe, expect, it } from '@jest/globals';
import { JobEncoder } from '../../../../lib/job/encode-job.js';
import type { NewJob } from '../../../../lib/job/job.js';
import { decodeInserted } from '../../../../lib/storage/sql/row.js';
import { enqueued, retriesAmong } from '../../../../lib/storage/typeorm/due-times.js';

const encoder = new JobEncoder(1_000);
const HOUR_MS = 3_600_000;
/** The database's clock is a year behind that of this process. */
const DATABASE_NOW = Date.now() - 365 * 24 * HOUR_MS;

describe('What has been enqueued', () => {
  const arrivals = (
    jobs: readonly Omit<NewJob, 'payload'>[],
    isJoined = false,
    agoMs = 0,
    createdAt = DATABASE_NOW,
  ) => {
    const encoded = jobs.map((job) => encoder.encode(job));
    const stored = encoded.map((job) =>
      decodeInserted(job, job.runAtMs ?? DATABASE_NOW + job.delayMs, createdAt),
    );
    const { ready, scheduled } = enqueued(encoded, stored, isJoined, agoMs);
    return { ready: ready.map(({ kind }) => kind), scheduled: [...scheduled] };
  };

  it('is ready without a start, and is then not looked at one by one', () => {
    const jobs = [{ kind: 'a' }, { kind: 'b' }].map((job) => encoder.encode(job));
    expect(enqueued(jobs, [], false, 0)).toMatchObject({ ready: jobs });
  });

  it("is ready or due later by the database's clock: the earliest of each kind", () => {
    const { ready, scheduled } = arrivals([
      { kind: 'past', runAt: new Date(DATABASE_NOW - 1) },
      { kind: 'a', runAt: new Date(DATABASE_NOW + 500) },
      { kind: 'a', delayMs: 300 },
      { kind: 'b', delayMs: 700 },
      { kind: 'now' },
    ]);
    expect(ready).toEqual(['past', 'now']);
    expect(scheduled).toEqual([
      ['a', 300],
      ['b', 700],
    ]);
  });

  it('is due sooner by what has passed since it was written', () => {
    const jobs = [
      { kind: 'a', delayMs: 300 },
      { kind: 'b', delayMs: 100 },
    ];
    expect(arrivals(jobs, true, 200)).toEqual({ ready: ['b'], scheduled: [['a', 100]] });
  });

  it('of a transaction that began long ago is not taken to be due later than it is', () => {
    const runAt = new Date(Date.now() + 1_000);
    const { scheduled } = arrivals([{ kind: 'a', runAt }], true, 0, Date.now() - HOUR_MS);
    expect(scheduled[0]![1]).toBeLessThanOrEqual(1_000);
  });
});

describe('Retries', () => {
  it('are those that were written, the earliest of each kind; any kind where it is not known', () => {
    const lease = { id: 'a', leaseToken: 1, lockedBy: 'w' };
    const retry = (delayMs: number, kind?: string) => ({
      ...lease,
      kind,
      outcome: { type: 'retry', delayMs, lastError: 'not yet' } as const,
    });
    const done = { ...lease, kind: 'a', outcome: { type: 'failed', lastError: 'never' } as const };
    const settlements = [retry(500, 'a'), retry(300, 'a'), retry(100, 'a'), done, retry(700)];
    const dueTimes = retriesAmong(settlements, ['written', 'written', 'lost', 'written', 'written']);
    expect([...dueTimes]).toEqual([
      ['a', 300],
      [null, 700],
    ]);
    expect([...retriesAmong([done], ['written'])]).toEqual([]);
  });
});

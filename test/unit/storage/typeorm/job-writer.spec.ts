import { describe, expect, it } from '@jest/globals';
import type { EncodedJob } from '../../../../lib/job/encode-job.js';
import { InvalidJobError } from '../../../../lib/job/errors.js';
import type { Connections, RunOptions } from '../../../../lib/storage/sql/connections.js';
import type { Dialect } from '../../../../lib/storage/sql/dialect.js';
import { JobWriter } from '../../../../lib/storage/typeorm/job-writer.js';

function job(bytes: number): EncodedJob {
  return { id: 'a', kind: 'k', payload: { json: 'x'.repeat(bytes), bytes: null } } as EncodedJob;
}

describe('JobWriter', () => {
  const limits: (number | undefined)[] = [];
  const connections = {
    run: (work: () => Promise<unknown>, options?: RunOptions) => {
      limits.push(options?.answerMs);
      return work();
    },
  } as unknown as Connections;
  const writerFor = (insert: () => Promise<unknown>) =>
    new JobWriter(
      connections,
      { jobs: { insert }, errors: { wasRefused: () => false } } as unknown as Dialect,
      1_000,
    );

  it('answers what no text can hold with a typed error', async () => {
    const writer = writerFor(() => Promise.reject(new RangeError('Invalid string length')));
    const writing = writer.write([job(1), job(1)]);
    await expect(writing).rejects.toBeInstanceOf(InvalidJobError);
    await expect(writing).rejects.toThrow(
      'jobs are together too large for one statement; nothing was written.',
    );
  });

  it('gives the database more time for more jobs, and for larger ones', async () => {
    const writer = writerFor(() => Promise.resolve([{}, {}]));
    limits.length = 0;
    await writer.write([job(0), job(0)]);
    await writer.write([job(1_000_000), job(500_000)]);
    expect(limits).toEqual([1_002, 1_152]);
  });
});

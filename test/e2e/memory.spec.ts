import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { describeOn, oneOfEach, sqlite, type TestDatabase, type TestServer } from '../support/databases.js';
import { SqlStore } from '../support/store.js';

const LARGE = 300;
const SMALL_FIRST = 10_000;
const MIB = 1024 * 1024;

/** On the built package: `npm test` builds it, or else run `npm run build:lib`. */
describeOn([...oneOfEach, ...sqlite], 'A worker with 256 MiB of memory on $name', (server) => {
  it(`drains ${LARGE} jobs of a mebibyte beside a stream of small ones`, async () => {
    const database = await withLargeJobs(server);
    try {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--max-old-space-size=256', join(import.meta.dirname, 'fixtures/memory.mjs')],
        {
          env: {
            ...process.env,
            MEMORY: JSON.stringify({ database: database.options, large: LARGE, smallAtOnce: 100 }),
          },
          timeout: 100_000,
        },
      );
      const seen = JSON.parse(stdout) as { small: number; large: number };
      expect(seen.large).toBe(LARGE);
      expect(seen.small).toBeGreaterThanOrEqual(SMALL_FIRST);
      expect(stderr).toBe('');
    } finally {
      await database.drop();
    }
  }, 120_000);
});

/** They come after all small ones, which set the pace at which the worker claims. */
async function withLargeJobs(server: TestServer): Promise<TestDatabase> {
  const store = new SqlStore(server);
  await store.start();
  await store.reset();
  const client = store.clientOf(store.queue, undefined, 2 * MIB);
  const payload = { text: 'long '.repeat(MIB / 5 - 10) };
  for (let n = 0; n < LARGE; n += 10)
    await client.enqueueMany(Array.from({ length: 10 }, () => ({ kind: 'large', payload, priority: 1 })));
  await client.enqueueMany(Array.from({ length: SMALL_FIRST }, (_, n) => ({ kind: 'small', payload: n })));
  await store.dataSource.destroy();
  return store.database;
}

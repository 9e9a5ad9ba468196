import { describe, expect, it } from '@jest/globals';
import { JobClient } from '../../lib/job-client.js';
import { MemoryJobQueue } from '../../lib/queue/memory-job-queue.js';

describe('A transaction of a queue in memory that has no database', () => {
  const client = new JobClient(new MemoryJobQueue());

  it('holds jobs back until its commit, and drops those of a savepoint that was rolled back', async () => {
    await client.transaction(async (manager) => {
      await client.enqueue('mail', null, { id: 'ambient' });
      await client.enqueue('mail', null, { id: 'explicit', manager });
      const nested = client.transaction(async () => {
        await client.enqueue('mail', null, { id: 'undone' });
        throw new Error('back');
      });
      await expect(nested).rejects.toThrow('back');
      expect(await client.get('ambient')).toBeNull();
    });
    expect(await client.get('ambient')).not.toBeNull();
    expect(await client.get('explicit')).not.toBeNull();
    expect(await client.get('undone')).toBeNull();
  });

  it('drops them all where it rolls back', async () => {
    const failing = client.transaction(async () => {
      await client.enqueue('mail', null, { id: 'gone' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await client.get('gone')).toBeNull();
  });

  it('says what to do where its manager is asked for more', async () => {
    const asking = client.transaction((manager) => manager.query('SELECT 1'));
    await expect(asking).rejects.toThrow(
      'There is no database behind this manager, so no query: give MemoryJobQueue one with { dataSource }.',
    );
  });
});

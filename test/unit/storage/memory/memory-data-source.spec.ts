import { describe, expect, it } from '@jest/globals';
import type { HandlerFn } from '../../../../lib/execution/attempt.js';
import { HandlerRegistry } from '../../../../lib/execution/handler-registry.js';
import { SILENT_LOGGER } from '../../../../lib/job/logger.js';
import { JobClient } from '../../../../lib/client/job-client.js';
import { resolveOptions } from '../../../../lib/nest/jobs.options.js';
import { MemoryJobQueue } from '../../../../lib/storage/memory/memory-job-queue.js';
import { Worker } from '../../../../lib/worker/worker.js';
import { until } from '../../../support/until.js';

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

describe('A transactional handler on a queue in memory that has no database', () => {
  const handle = async (handler: HandlerFn) => {
    const queue = new MemoryJobQueue();
    const client = new JobClient(queue);
    const handlers = new HandlerRegistry();
    handlers.add({ kind: 'mail', run: handler, options: { transactional: true }, declaredAt: 'Test.mail' });
    const { worker: settings, events } = resolveOptions({ logger: SILENT_LOGGER });
    const worker = new Worker(queue, handlers, settings, events);
    await worker.start();
    await client.enqueue('mail', null, { id: 'one' });
    await until(async () => (await client.get('one'))?.status !== 'PENDING', { what: 'the end of the job' });
    await worker.stop();
    return client;
  };

  it('enqueues together with its outcome', async () => {
    const client = await handle(async (_job, { manager }) => {
      const queue = manager.queryRunner;
      expect(queue?.isTransactionActive).toBe(true);
      return 'done';
    });
    expect(await client.get('one')).toMatchObject({ status: 'DONE', result: 'done' });
  });

  it('is told that there is no database to write to', async () => {
    const client = await handle((_job, { manager }) => manager.query('SELECT 1'));
    const job = await client.get('one');
    expect(job).toMatchObject({
      status: 'FAILED',
      lastError: expect.stringContaining('give MemoryJobQueue one'),
    });
  });
});

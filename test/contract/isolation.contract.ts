import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { KIND, type Store } from '../support/store.js';

const OTHER = 'other kind';

/** What a handler leaves in asynchronous context reaches no other job, and a job inherits nothing from its starter. */
export function isolationContract(store: Store): void {
  const tenants = new AsyncLocalStorage<string>();
  const read = () => tenants.getStore() ?? 'none';
  const enter = () => {
    tenants.enterWith('tenant of another job');
    return read();
  };

  describe('The AsyncLocalStorage stores of a handler', () => {
    it('end with its job, also those that it entered without a callback', async () => {
      const worker = { [KIND]: enter, [OTHER]: read };
      await store.work(worker, { concurrency: 1 });
      await store.client.enqueue(KIND, null, { id: 'enters' });
      expect(await store.ended('enters')).toMatchObject({ result: 'tenant of another job' });
      await store.client.enqueue(OTHER, null, { id: 'reads' });
      expect(await store.ended('reads')).toMatchObject({ result: 'none' });
    });

    it('do not reach the job that starts when its handler ends', async () => {
      await store.client.enqueueMany([
        { kind: KIND, id: 'a1' },
        { kind: OTHER, id: 'a2' },
        { kind: KIND, id: 'a3' },
        { kind: OTHER, id: 'a4' },
      ]);
      await store.work({ [KIND]: enter, [OTHER]: read }, { concurrency: 1 });
      for (const id of ['a2', 'a4']) expect(await store.ended(id)).toMatchObject({ result: 'none' });
    });

    it('do not come from the request in which the worker was started', async () => {
      await tenants.run('tenant of a request', () => store.work({ [KIND]: read }));
      await store.client.enqueue(KIND, null, { id: 'reads' });
      expect(await store.ended('reads')).toMatchObject({ result: 'none' });
    });

    it('do not come from the request that enqueues', async () => {
      await store.work({ [KIND]: read });
      await tenants.run('tenant of a request', () => store.client.enqueue(KIND, null, { id: 'reads' }));
      expect(await store.ended('reads')).toMatchObject({ result: 'none' });
    });

    it('do not reach those who listen to what becomes of the job', async () => {
      const heard: string[] = [];
      const end = store.events.on('settled', () => void heard.push(read()));
      await store.work({ [KIND]: enter });
      await store.client.enqueue(KIND, null, { id: 'enters' });
      await until(() => heard.length > 0);
      end();
      expect(heard).toEqual(['none']);
    });

    if (!store.hasManyWriters) return;
    it('stay out of transactional handlers as well', async () => {
      const options = { transactional: true };
      await store.work(
        { [KIND]: { run: enter, options }, [OTHER]: { run: read, options } },
        { concurrency: 1 },
      );
      await store.client.enqueue(KIND, null, { id: 'enters' });
      await store.ended('enters');
      await store.client.enqueue(OTHER, null, { id: 'reads' });
      expect(await store.ended('reads')).toMatchObject({ result: 'none' });
    });
  });
}

import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { DataSource, Logger } from 'typeorm';
import { JobClient } from '../../lib/client/job-client.js';
import { JobKinds } from '../../lib/client/job-kinds.js';
import { ConnectionTimeoutError, DatabaseTimeoutError } from '../../lib/job/storage-errors.js';
import { KIND, LONG, type SqlStore } from '../support/store.js';
import { turn } from '../unit/fakes.js';

const SECRET = 'a token that concerns one caller';

/** Statements of the queue are its own affair: neither the log of the application nor an error shows what is in them. */
export function ownStatementsContract(store: SqlStore): void {
  const withDataSource = async (options: object, work: (dataSource: DataSource) => Promise<void>) => {
    const dataSource = await store.database.connect(options);
    try {
      await work(dataSource);
    } finally {
      await dataSource.destroy();
    }
  };
  const clientOn = (dataSource: DataSource, databaseTimeoutMs = 30_000) =>
    new JobClient(store.openOn(dataSource, { databaseTimeoutMs }));

  describe('The log of the DataSource', () => {
    it('shows none of the statements of the queue, and goes on to show those of the application', async () => {
      const lines: string[] = [];
      const log = (line: string) => void lines.push(line);
      const nothing = () => undefined;
      const logger: Logger = {
        logQuery: log,
        logQueryError: (_error, query) => log(query),
        logQuerySlow: nothing,
        logSchemaBuild: nothing,
        logMigration: nothing,
        log: nothing,
      };
      await withDataSource({ logging: true, logger }, async (dataSource) => {
        const queue = store.openOn(dataSource);
        const client = new JobClient(queue);
        await queue.open();
        await client.enqueueMany([{ kind: KIND, id: 'a' }, { kind: KIND }, { kind: KIND, payload: 'x' }]);
        await client.enqueue(KIND, null, { id: 'a' }).catch(nothing);
        const [first, second, third] = await queue.claim([KIND], 3, LONG);
        await queue.renew([{ ...first!, alone: false }], 1_000);
        await queue.settle([{ ...first!, outcome: { type: 'done', result: { json: '1', bytes: null } } }]);
        await queue.release([second!, third!]);
        await queue.reclaim(3);
        await client.get('a');
        await dataSource.transaction(async (manager) => {
          await client.enqueue(KIND, null, { manager });
          await manager.query('SELECT 1 AS of_the_application');
        });
      });
      expect(lines.filter((line) => line.includes('nest_jobs'))).toEqual([]);
      expect(lines).toContain('SELECT 1 AS of_the_application');
    });
  });

  describe('An error', () => {
    it('of an enqueue does not hold its payload, nor those of others', async () => {
      await store.client.enqueue(KIND, null, { id: 'taken' });
      const outcomes = await Promise.allSettled([
        store.client.enqueue(KIND, 1),
        store.client.enqueue(KIND, SECRET, { id: 'taken' }),
        store.client.enqueue(KIND, SECRET),
        store.dataSource.transaction((manager) =>
          store.client.enqueue(KIND, SECRET, { id: 'taken', manager }),
        ),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'rejected',
      ]);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected')
          expect(inspect(outcome.reason, { depth: 9 })).not.toContain(SECRET);
    });

    it('is one for each caller where a statement of several is lost', async () => {
      await withDataSource({}, async (dataSource) => {
        const client = clientOn(dataSource);
        await client.enqueue(KIND);
        await store.sql('ALTER TABLE nest_jobs RENAME TO nest_jobs_away');
        try {
          const outcomes = await Promise.allSettled(
            [1, 2, 3, 4].map((n) => client.enqueue(KIND, `${SECRET} ${n}`)),
          );
          const reasons = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as Error);
          expect(new Set(reasons).size).toBe(4);
          for (const reason of reasons) expect(inspect(reason, { depth: 9 })).not.toContain(SECRET);
        } finally {
          await store.sql('ALTER TABLE nest_jobs_away RENAME TO nest_jobs');
        }
      });
    });
  });

  if (!store.hasManyWriters) return;

  describe('An answer of the database', () => {
    it('is in time if it came while the process stood still', async () => {
      await withDataSource({}, async (dataSource) => {
        const client = clientOn(dataSource, 1_000);
        await client.enqueue(KIND, null, { id: 'a' });
        const answer = client.get('a');
        await turn(); // the statement is sent
        for (const end = performance.now() + 1_200; performance.now() < end;);
        expect(await answer).toMatchObject({ id: 'a' });
      });
    });

    it('is late with an error that says who asked', async () => {
      await withDataSource({}, async (dataSource) => {
        const kinds = new JobKinds(store.openOn(dataSource, { databaseTimeoutMs: 1_000 }));
        await store.dataSource.transaction(async (manager) => {
          await new JobKinds(store.queue).pause(KIND, { manager });
          const error: unknown = await kinds.pause(KIND).catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(DatabaseTimeoutError);
          expect((error as Error).stack).toMatch(/at (async )?JobKinds\.pause/);
        });
      });
    });
  });

  describe('The last connection of the pool', () => {
    it.each([
      ['a short id', 'invoice 17'],
      ['an id that a message of the server would cut', 'mail:'.padEnd(200, 'x')],
      ['an id with an emoji', 'invoice 🎉'],
      ['an id with control characters', 'invoice\u0001'],
    ])('is all that a duplicate needs in a transaction that holds it: %s', async (_name, id) => {
      await store.client.enqueue(KIND, null, { id });
      await withDataSource({ extra: {}, poolSize: 1 }, async (dataSource) => {
        const client = clientOn(dataSource);
        const alone = dataSource.transaction((manager) => client.enqueue(KIND, null, { id, manager }));
        await expect(alone).rejects.toMatchObject({ name: 'DuplicateJobError', id });
        const jobs = [{ kind: KIND }, { kind: KIND, id }, { kind: KIND }];
        const amongOthers = dataSource.transaction((manager) => client.enqueueMany(jobs, { manager }));
        await expect(amongOthers).rejects.toMatchObject({ name: 'DuplicateJobError', id });
        await expect(client.enqueueMany(jobs)).rejects.toMatchObject({ name: 'DuplicateJobError', id });
      });
    });

    it('is waited for no longer than databaseTimeoutMs, and nothing is sent late', async () => {
      await withDataSource({ extra: {}, poolSize: 1 }, async (dataSource) => {
        const client = clientOn(dataSource, 1_000);
        await dataSource.transaction(async () => {
          const waiting = client.enqueue(KIND, null, { id: 'too late', outside: true });
          const error: unknown = await waiting.catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(ConnectionTimeoutError);
          expect(String(error)).toMatch(
            /within 1000 ms, and nothing was sent\. Either all 1 of the pool are in use/,
          );
        });
        await client.enqueue(KIND, null, { id: 'later' }); // the connection is back in the pool
        expect(await client.get('too late')).toBeNull();
        expect(await client.get('later')).not.toBeNull();
      });
    });
  });
}

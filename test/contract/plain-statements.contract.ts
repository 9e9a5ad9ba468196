import { describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient } from '../../lib/client/job-client.js';
import { JobsEvents } from '../../lib/events/jobs-events.js';
import type { Outcome } from '../../lib/job/outcome.js';
import { EventWriter } from '../../lib/outbox/event-writer.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import { KIND, LONG, type SqlStore } from '../support/store.js';

/** Statements as the driver sends them. */
type Sent = string[];

interface Client {
  query(statement: string | { text: string }, ...rest: unknown[]): unknown;
}

interface Pool {
  on(event: 'acquire', listener: (client: Client) => void): void;
}

interface Database {
  prepare(text: string): object;
}

/** What jobs pay that use nothing of what others do: as many statements as if it did not exist. */
export function plainStatementsContract(store: SqlStore): void {
  const insertsOf: Readonly<Record<string, number>> = { postgres: 1, mysql: 2, 'better-sqlite3': 1 };

  const sent = async (
    work: (client: JobClient, dataSource: DataSource, queue: JobQueue) => Promise<unknown>,
    events = store.events,
  ) => {
    const dataSource = await store.database.connect();
    const statements: Sent = [];
    tap(dataSource, statements);
    const queue = store.openOn(dataSource, { events });
    try {
      const client = new JobClient(queue);
      await client.enqueue(KIND); // opens a connection, and finds out whether statements can be prepared
      statements.length = 0;
      await work(client, dataSource, queue);
      return statements.filter(
        (text) => !/^(BEGIN|START|COMMIT|SET|SAVEPOINT|SELECT pg_notify)/.test(text.trim()),
      );
    } finally {
      await queue.close();
      await dataSource.destroy();
    }
  };

  /** Lists all statements that leave over the driver. */
  const tap = ({ driver }: DataSource, statements: Sent): void => {
    if (store.isSqlite) {
      const parts = driver as unknown as { sqlite: new (...args: unknown[]) => Database };
      const Sqlite = parts.sqlite;
      parts.sqlite = class extends Sqlite {
        override prepare(text: string): object {
          const statement = super.prepare(text);
          return new Proxy(statement, {
            get: (target, name) => {
              if (name === 'all' || name === 'run') statements.push(text);
              const value: unknown = Reflect.get(target, name);
              return typeof value === 'function' ? (value.bind(target) as unknown) : value;
            },
          });
        }
      };
      return;
    }
    const { master, pool } = driver as unknown as { master?: Pool; pool?: Pool };
    const tapped = new WeakSet<Client>();
    (master ?? pool)!.on('acquire', (client) => {
      if (tapped.has(client)) return;
      tapped.add(client);
      const query = client.query.bind(client);
      client.query = (statement, ...rest) => {
        statements.push(typeof statement === 'string' ? statement : statement.text);
        return query(statement, ...rest);
      };
    });
  };

  describe('A job without a unique key and tags', () => {
    const inserts = insertsOf[store.server.type]!;
    const expectInserts = (statements: readonly string[], count = inserts) => {
      expect(statements).toHaveLength(count);
      expect(statements.join()).not.toMatch(
        /nest_jobs_keys|nest_jobs_labels|ON CONFLICT|ON DUPLICATE|FOR UPDATE/,
      );
    };

    it('costs the same statements as ever, alone and in a list', async () => {
      expectInserts(await sent((client) => client.enqueue(KIND, { a: 1 })));
      const backoff = { type: 'fixed', delayMs: 1 } as const;
      expectInserts(
        await sent((client) => client.enqueue(KIND, 1, { id: 'x', ifExists: 'reject', backoff })),
      );
      expectInserts(await sent((client) => client.enqueueMany([{ kind: KIND }, { kind: KIND, payload: 1 }])));
    });

    it('costs the same statements as ever in a transaction', async () => {
      const statements = await sent((client, dataSource) =>
        dataSource.transaction((manager) => client.enqueue(KIND, 1, { manager })),
      );
      // On SQLite the connection of the application is another one, which is not tapped.
      expectInserts(statements, store.isSqlite ? 0 : inserts);
    });

    it('is told from one with tags by what is sent, which is one statement on PostgreSQL', async () => {
      const statements = await sent((client) =>
        client.enqueueMany([{ kind: KIND }, { kind: KIND, payload: 1, tags: ['a', 'b'] }]),
      );
      expect(statements.filter((text) => text.includes('nest_jobs_labels'))).toHaveLength(1);
      expect(statements).toHaveLength(store.isPostgres ? 1 : inserts + 1);
    });

    it('is told from one with a key by what is sent', async () => {
      const statements = await sent((client) => client.enqueue(KIND, 1, { unique: { key: 'a' } }));
      expect(statements.join()).toMatch(/nest_jobs_keys/);
      expect(statements.length).toBeLessThanOrEqual(inserts + 2);
    });
  });

  describe('A job that is done and has noted nothing', () => {
    const settled = (outcome: Outcome) =>
      sent(async (_client, _dataSource, queue) => {
        const [job] = await queue.claim([KIND], 1, LONG);
        expect(await queue.settle([{ ...job!, outcome }])).toEqual(['written']);
      });

    it('sends nothing of attempts and logs, unlike one that failed', async () => {
      const done = await settled({ type: 'done', result: { json: null, bytes: null } });
      expect(done.join()).not.toMatch(/nest_jobs_(attempts|logs)|progress/);
      const failed = await settled({ type: 'failed', lastError: 'Error: no' });
      expect(failed.join()).toMatch(/nest_jobs_attempts/);
    });
  });

  describe('Events that nobody listens to', () => {
    it('cost one look at the listeners for many jobs, and no notification', async () => {
      const events = new JobsEvents();
      const enqueued = async (client: JobClient) => {
        for (let n = 0; n < 20; n++) await client.enqueue(KIND);
      };
      const plain = await sent(enqueued, events);
      const written = await sent(async (client, _dataSource, queue) => {
        const writer = new EventWriter(queue.eventStore, events);
        writer.start();
        await enqueued(client);
        await writer.stop();
      }, events);
      const isOfEvents = (text: string) => /nest_jobs_(events|listeners)/.test(text);
      expect(written.filter(isOfEvents)).toHaveLength(1);
      expect(written.filter(isOfEvents)[0]).toMatch(/SELECT.*nest_jobs_listeners/s);
      expect(written.filter((text) => !isOfEvents(text))).toEqual(plain);
    });
  });
}

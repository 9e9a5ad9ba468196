import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';
import {
  JobClient,
  JobHandler,
  JobsModule,
  type Job,
  type JobContext,
  type WorkerOptions,
} from '../../lib/index.js';
import { ended, TestApplications } from '../support/applications.js';
import { describeOn, oneOfEach } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { MemoryLogger } from '../support/memory-logger.js';

/** A test opens this to let handlers continue. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

@Injectable()
class Handlers {
  readonly begun: string[] = [];
  readonly gate = new Gate();
  readonly running = new Map<string, number>();
  readonly most = new Map<string, number>();

  @JobHandler('quick')
  quick({ id }: Job): string {
    this.begun.push(id);
    return 'done';
  }

  @JobHandler('obedient', { timeoutMs: 100 })
  async obedient({ id }: Job, { signal }: JobContext): Promise<never> {
    this.begun.push(id);
    await sleep(60_000, undefined, { signal });
    throw new Error('The signal never came.');
  }

  @JobHandler('stubborn', { timeoutMs: 100 })
  async stubborn({ id }: Job): Promise<string> {
    this.begun.push(id);
    await this.gate.opened;
    return 'too late';
  }

  @JobHandler('gated')
  async gated({ id }: Job): Promise<string> {
    this.begun.push(id);
    await this.gate.opened;
    return 'done';
  }

  @JobHandler('few', { concurrency: 2 })
  @JobHandler('many')
  async counted({ kind }: Job): Promise<void> {
    for (const key of [kind, 'all']) {
      const running = (this.running.get(key) ?? 0) + 1;
      this.running.set(key, running);
      this.most.set(key, Math.max(this.most.get(key) ?? 0, running));
    }
    await sleep(10);
    for (const key of [kind, 'all']) this.running.set(key, this.running.get(key)! - 1);
  }
}

describeOn(oneOfEach, 'A worker on $name', (server) => {
  const apps = TestApplications.on(server);
  let logger: MemoryLogger;
  let app: INestApplicationContext;
  let client: JobClient;
  let handlers: Handlers;

  beforeEach(() => {
    logger = new MemoryLogger();
  });

  async function start(worker: WorkerOptions, database = apps.database.options): Promise<void> {
    app = await apps.start({
      imports: [
        apps.typeOrm(undefined, { options: database }),
        JobsModule.forRoot({ logger, worker: { pollIntervalMs: 100, ...worker } }),
      ],
      providers: [Handlers],
    });
    client = app.get(JobClient);
    handlers = app.get(Handlers);
  }

  const logged = (text: string) =>
    until(() => logger.lines.some((line) => line.includes(text)), { what: `"${text}" in the log` });

  describe('with a handler that takes longer than its timeoutMs', () => {
    it('aborts its signal, and the attempt fails', async () => {
      await start({});
      await client.enqueue('obedient', null, { id: 'slow' });
      const job = await ended(client, 'slow');
      expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      expect(job.lastError).toContain(
        'JobTimeoutError: The handler did not end within its timeoutMs of 100 ms.',
      );
    });

    it('keeps the slot while it continues anyway, logs that, and discards what it returns', async () => {
      await start({ concurrency: 1 });
      await client.enqueue('stubborn', null, { id: 'stubborn' });
      expect(await ended(client, 'stubborn')).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
      await client.enqueue('quick', null, { id: 'next' });
      await logged('The handler of job stubborn (kind stubborn, attempt 1) ignores its aborted signal');
      expect(handlers.begun).toEqual(['stubborn']);
      expect(await client.get('next')).toMatchObject({ status: 'PENDING' });
      const failed = await client.get('stubborn');

      handlers.gate.open();
      expect(await ended(client, 'next')).toMatchObject({ status: 'DONE' });
      expect(await client.get('stubborn')).toEqual(failed);
      expect(failed).not.toHaveProperty('result', 'too late');
    });
  });

  it('runs no more jobs at once than it has slots, and no more of a kind than its handler allows', async () => {
    await start({ concurrency: 5 });
    const jobs = await client.enqueueMany(
      Array.from({ length: 40 }, (_, n) => ({ kind: n % 2 === 0 ? 'few' : 'many' })),
    );
    for (const { id } of jobs) await ended(client, id);
    expect(handlers.most.get('few')).toBe(2);
    expect(handlers.most.get('all')).toBe(5);
  });

  describe('that polls once a minute', () => {
    beforeEach(() => start({ pollIntervalMs: 60_000 }));

    it('wakes when a job is enqueued', async () => {
      for (const id of ['one', 'two']) {
        await client.enqueue('quick', null, { id });
        expect(await ended(client, id)).toMatchObject({ status: 'DONE' });
      }
    });

    it('wakes when a transaction with a job is committed, and no sooner', async () => {
      await app.get(DataSource).transaction(async (manager) => {
        await client.enqueue('quick', null, { id: 'within', manager });
        await client.enqueue('quick', null, { id: 'outside' });
        await ended(client, 'outside');
        expect(handlers.begun).toEqual(['outside']);
      });
      expect(await ended(client, 'within')).toMatchObject({ status: 'DONE' });
    });

    it('runs nothing from a transaction that is rolled back', async () => {
      const failing = app.get(DataSource).transaction(async (manager) => {
        await client.enqueueMany([{ kind: 'quick', id: 'undone' }], { manager });
        throw new Error('The order is refused.');
      });
      await expect(failing).rejects.toThrow('The order is refused.');
      await client.enqueue('quick', null, { id: 'after' });
      await ended(client, 'after');
      expect(handlers.begun).toEqual(['after']);
      expect(await client.get('undone')).toBeNull();
    });
  });

  it('finds jobs by polling that were inserted with plain SQL', async () => {
    await start({});
    const now = server.type === 'postgres' ? 'now()' : 'UTC_TIMESTAMP(6)';
    await app
      .get(DataSource)
      .query(
        `INSERT INTO nest_jobs (id, kind, run_at, created_at, updated_at) VALUES ('by hand', 'quick', ${now}, ${now}, ${now})`,
      );
    expect(await ended(client, 'by hand')).toMatchObject({ status: 'DONE', result: 'done', attemptsDone: 1 });
  });

  it('whose database goes away finishes every job once when the database is back', async () => {
    const proxy = await TcpProxy.start(apps.database.url);
    try {
      await start({ concurrency: 5 }, { ...apps.database.options, url: proxy.url } as DataSourceOptions);
      const jobs = await client.enqueueMany(
        Array.from({ length: 30 }, (_, n) => ({ kind: 'gated', id: `job ${n}` })),
      );
      await until(() => handlers.begun.length === 5, { what: 'full slots' });
      await proxy.cut();
      handlers.gate.open(); // their outcomes cannot be written yet
      await logged('Could not write the outcome of job');
      await logged('Could not claim jobs; trying again until it works');
      await proxy.restore();
      for (const { id } of jobs) {
        expect(await ended(client, id)).toMatchObject({ status: 'DONE', attemptsDone: 1, crashes: 0 });
      }
      await logged('Claims jobs again after');
      expect(handlers.begun.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());

      await client.enqueue('quick', null, { id: 'later' });
      expect(await ended(client, 'later')).toMatchObject({ status: 'DONE' });
      await app.close();
    } finally {
      await proxy.cut();
    }
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { loggedEvents } from '../../../lib/events/log-subscriber.js';
import { SILENT_LOGGER, type JobsLogger } from '../../../lib/job/logger.js';
import { JobEncoder } from '../../../lib/job/encode-job.js';
import { sleep } from '../../../lib/async/timers.js';
import type { WakeListener } from '../../../lib/queue/job-queue.js';
import { TypeOrmJobQueue } from '../../../lib/storage/typeorm/typeorm-job-queue.js';
import { describeOn, servers, TestDatabase } from '../../support/databases.js';
import { until } from '../../support/until.js';

const LISTENERS = `FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`;

describeOn(
  servers.filter(({ type }) => type === 'postgres'),
  'waking other processes on $name',
  (server) => {
    const encoder = new JobEncoder(1000);
    const job = (kind: string) => encoder.encode({ kind });
    let database: TestDatabase;
    let sources: DataSource[];
    let queues: TypeOrmJobQueue[];

    /** A queue as another process has it: on a DataSource of its own. */
    async function openQueue(
      logger: JobsLogger = SILENT_LOGGER,
      extra: object = {},
    ): Promise<TypeOrmJobQueue> {
      const dataSource = await database.connect({ extra });
      const queue = await new TypeOrmJobQueue(dataSource, {
        ...{ tablePrefix: 'nest_', migrate: 'auto', workerId: 'w', leaseMs: 30_000, heartbeatMs: 10_000 },
        databaseTimeoutMs: 30_000,
        ...{ minRetryDelayMs: 5_000, maxCrashes: 3, maxPayloadBytes: 1000, events: loggedEvents(logger) },
      }).open();
      sources.push(dataSource);
      queues.push(queue);
      return queue;
    }

    /** What a queue hears, once it listens: the first that it hears is "any kind". */
    async function watch(queue: TypeOrmJobQueue, listener: WakeListener = () => undefined) {
      const heard: (readonly string[] | null)[] = [];
      const unwatch = queue.watch((kinds, inMs) => {
        heard.push(kinds);
        return listener(kinds, inMs);
      });
      await until(() => heard.includes(null), { what: 'listening' });
      heard.length = 0;
      return { heard, unwatch };
    }

    const countListeners = async (): Promise<number> => {
      const [row] = await sources[0]!.query<{ count: string }[]>(`SELECT count(*) ${LISTENERS}`);
      return Number(row!.count);
    };

    beforeEach(async () => {
      database = await TestDatabase.create(server);
      sources = [];
      queues = [];
    });

    afterEach(async () => {
      await Promise.all(queues.map((queue) => queue.close()));
      await Promise.all(sources.map((source) => source.destroy()));
      await database.drop();
    });

    it('tells the kinds that another process has enqueued, after its commit and not after a rollback', async () => {
      const [producer, worker] = [await openQueue(), await openQueue()];
      const { heard } = await watch(worker);
      const manager = sources[0]!.manager;
      await expect(
        manager.transaction(async (inner) => {
          await producer.enqueue([job('rolled.back')], { manager: inner });
          throw new Error('undo');
        }),
      ).rejects.toThrow('undo');
      await manager.transaction(async (inner) => {
        await producer.enqueue([job('in.transaction')], { manager: inner });
        await producer.enqueue([job('alone')]);
        await until(() => heard.flat().includes('alone'), {
          what: 'hearing of the job outside of the transaction',
        });
        expect(heard.flat()).not.toContain('in.transaction');
      });
      await until(() => heard.flat().includes('in.transaction'), { what: 'hearing of the committed job' });
      expect(heard.flat()).not.toContain('rolled.back');
    });

    it('tells once of a job, whether it comes alone or close after another', async () => {
      const [producer, worker] = [await openQueue(), await openQueue()];
      const { heard } = await watch(worker);
      for (const kind of ['a', 'b', 'c']) await producer.enqueue([job(kind)]);
      await until(() => heard.flat().includes('c'), { what: 'hearing of the third' });
      await sleep(50);
      await producer.enqueue([job('d')]);
      await until(() => heard.flat().includes('d'), { what: 'hearing of the fourth' });
      expect(heard.flat()).toEqual(['a', 'b', 'c', 'd']);
    });

    it('tells when a scheduled job is due, once for many that are enqueued one after another', async () => {
      const [producer, worker] = [await openQueue(), await openQueue()];
      const told: [readonly string[] | null, number][] = [];
      const { heard } = await watch(worker, (kinds, inMs = 0) => told.push([kinds, inMs]));
      const beganAt = performance.now();
      for (let n = 0; n < 200; n++)
        await producer.enqueue([encoder.encode({ kind: n % 2 ? 'a' : 'b', delayMs: 60_000 + n * 1_000 })]);
      await producer.enqueue([job('last')]);
      await until(() => heard.flat().includes('last'), { what: 'hearing of the last' });
      const tookMs = performance.now() - beganAt;
      const dues = told.filter(([, inMs]) => inMs > 0);
      expect(dues.length).toBeGreaterThan(0);
      expect(dues.length).toBeLessThanOrEqual(2 + tookMs / 20);
      expect(new Set(dues.flatMap(([kinds]) => kinds))).toEqual(new Set(['a', 'b']));
      expect(dues[0]![1]).toBeGreaterThan(30_000);
      expect(dues[0]![1]).toBeLessThanOrEqual(60_000);
    });

    it('tells nothing of a job that could not be inserted', async () => {
      const [producer, worker] = [await openQueue(), await openQueue()];
      const first = job('a');
      await producer.enqueue([first]);
      const { heard } = await watch(worker);
      await expect(producer.enqueue([{ ...job('b'), id: first.id }])).rejects.toThrow(first.id);
      await producer.enqueue([job('c')]);
      await until(() => heard.flat().includes('c'), { what: 'hearing of the one after it' });
      expect(heard.flat()).toEqual(['c']);
    });

    it('enqueues a job though the server takes no notification', async () => {
      await (await openQueue()).enqueue([job('before')]);
      await sources[0]!.query(`
        CREATE FUNCTION pg_notify(text, text) RETURNS void LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'too many notifications in the NOTIFY queue'; END $$`);
      const producer = await openQueue(SILENT_LOGGER, { options: '-c search_path=public,pg_catalog' });
      const refused = job('a');
      await producer.enqueue([refused]);
      expect(await producer.get(refused.id)).toMatchObject({ kind: 'a' });
    });

    it('tells its own process once, without a detour', async () => {
      const queue = await openQueue();
      const { heard } = await watch(queue);
      await queue.enqueue([job('a')]);
      expect(heard).toEqual([['a']]);
      await queue.enqueue([job('b')]);
      const other = await openQueue();
      await other.enqueue([job('last')]);
      await until(() => heard.flat().includes('last'));
      expect(heard).toEqual([['a'], ['b'], ['last']]);
    });

    describe('where a worker of the same process says that it is about to claim a job', () => {
      it('tells others soon if it does not', async () => {
        const [own, other] = [await openQueue(), await openQueue()];
        const { heard } = await watch(other);
        await watch(own, () => true);
        await own.enqueue([job('a')]);
        await sources[0]!.transaction((manager) => own.enqueue([job('b')], { manager }));
        await until(() => heard.flat().includes('b'), { what: 'hearing of both' });
        expect(heard.flat().sort()).toEqual(['a', 'b']);
      });

      it('tells others at once of what was enqueued together, for it is enough for all', async () => {
        const [own, other] = [await openQueue(), await openQueue()];
        const { heard } = await watch(other);
        await watch(own, () => true);
        await own.enqueue([job('a'), job('b')]);
        await until(() => heard.length > 0, { what: 'hearing of both' });
        expect(heard).toEqual([['a', 'b']]);
      });

      it('tells others when it is closed before', async () => {
        const [own, other] = [await openQueue(), await openQueue()];
        const { heard } = await watch(other);
        await watch(own, () => true);
        await own.enqueue([job('a')]);
        await own.close();
        await until(() => heard.length > 0, { what: 'hearing of it' });
        expect(heard).toEqual([['a']]);
      });
    });

    it('says "any kind" where the list of kinds is too long for a notification', async () => {
      const [producer, worker] = [await openQueue(), await openQueue()];
      const { heard } = await watch(worker);
      await producer.enqueue(Array.from({ length: 1000 }, (_, n) => job(`a.rather.long.kind.${n}`)));
      await until(() => heard.includes(null), { what: 'hearing of any kind' });
    });

    it('listens again when its connection was ended, and then looks for what it missed', async () => {
      const warnings: string[] = [];
      const producer = await openQueue();
      const worker = await openQueue({ ...SILENT_LOGGER, warn: (message) => warnings.push(message) });
      const { heard } = await watch(worker);
      await sources[0]!.query(`SELECT pg_terminate_backend(pid) ${LISTENERS}`);
      await until(() => heard.includes(null), { what: 'listening again' });
      await producer.enqueue([job('after')]);
      await until(() => heard.flat().includes('after'), { what: 'hearing of the job' });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain('polls until it can again');
    });

    it('throws away what is not of its form', async () => {
      const [producer, worker] = [await openQueue(), await openQueue()];
      const { heard } = await watch(worker);
      const channels = await sources[0]!.query<{ query: string }[]>(`SELECT query ${LISTENERS}`);
      const channel = channels[0]!.query.split(/[ ;]/)[1]!;
      const messages = ['', 'any text', 'null', '7', '[]', '{}', '{"kinds":null}', '{"from":"x"}'];
      const others = [
        '{"from":"x","kinds":5}',
        '{"from":"x","kinds":[]}',
        '{"from":"x","kinds":[7]}',
        '[[[[',
      ];
      for (const message of [...messages, ...others])
        await sources[0]!.query('SELECT pg_notify($1, $2)', [channel, message]);
      await producer.enqueue([job('after')]);
      await until(() => heard.flat().includes('after'), { what: 'hearing of the job' });
      expect(heard).toEqual([['after']]);
    });

    it('is not cut off by a server that ends idle sessions', async () => {
      const warnings: string[] = [];
      const options = '-c idle_session_timeout=300';
      const worker = await openQueue(
        { ...SILENT_LOGGER, warn: (message) => warnings.push(message) },
        { options },
      );
      const { heard } = await watch(worker);
      const begun = performance.now();
      await until(() => performance.now() - begun > 1_000); // three times as long as the server allows
      const producer = await openQueue();
      await producer.enqueue([job('after')]);
      await until(() => heard.flat().includes('after'), { what: 'hearing of the job' });
      expect(heard).toEqual([['after']]); // with no reconnect, which would be "any kind"
      expect(warnings).toEqual([]);
    });

    it('warns once where its connection is ended again and again, and leaves nothing asleep', async () => {
      const warnings: string[] = [];
      const nodeWarnings: Error[] = [];
      const onWarning = (warning: Error) => nodeWarnings.push(warning);
      process.on('warning', onWarning);
      try {
        await openQueue();
        const worker = await openQueue({ ...SILENT_LOGGER, warn: (message) => warnings.push(message) });
        const { heard } = await watch(worker);
        for (let round = 0; round < 3; round++) {
          heard.length = 0;
          await sources[0]!.query(`SELECT pg_terminate_backend(pid) ${LISTENERS}`);
          await until(() => heard.includes(null), { what: 'listening again' });
        }
        expect(warnings).toHaveLength(1);
        expect(nodeWarnings).toEqual([]);
      } finally {
        process.off('warning', onWarning);
      }
    });

    describe('of events', () => {
      const event = { type: 'done', kind: 'a', event: '{}' };

      /** Counts what it hears of events, once it listens. */
      async function watchEvents({ eventStore }: TypeOrmJobQueue) {
        const heard = { count: 0 };
        const unwatch = eventStore.watch(() => heard.count++);
        await until(() => heard.count > 0, { what: 'listening' });
        heard.count = 0;
        return { heard, unwatch };
      }

      it('hints at once, and sends few hints for many that are written one after another', async () => {
        const [writer, reader] = [await openQueue(), await openQueue()];
        const { heard } = await watchEvents(reader);
        const beganAt = performance.now();
        for (let n = 0; n < 100; n++) await writer.eventStore.write([event, event]);
        const tookMs = performance.now() - beganAt;
        await until(() => heard.count > 0, { what: 'hearing of them' });
        await writer.close(); // sends what it has not sent
        const written = heard.count;
        await until(async () => (await reader.eventStore.read(0, 500)).events.length === 200);
        await sleep(50);
        expect(heard.count).toBeGreaterThanOrEqual(written);
        expect(heard.count).toBeLessThanOrEqual(2 + tookMs / 30);
        expect(heard.count).toBeLessThan(100);
      });

      it('sends no hint where nothing is written', async () => {
        const [writer, reader] = [await openQueue(), await openQueue()];
        const { heard } = await watchEvents(reader);
        await writer.eventStore.write([]);
        await writer.eventStore.wanted();
        await writer.enqueue([job('a')]);
        await writer.close();
        await sleep(50);
        expect(heard.count).toBe(0);
      });

      it('goes over the connection that workers listen on, and over one of its own where there is no worker', async () => {
        const queue = await openQueue();
        const { unwatch } = await watchEvents(queue);
        expect(await countListeners()).toBe(1);
        const ofJobs = queue.watch(() => undefined);
        unwatch();
        await sleep(50);
        expect(await countListeners()).toBe(1);
        ofJobs();
        await until(async () => (await countListeners()) === 0, { what: 'the end of the connection' });
      });

      it('arrives again after the connection was ended, with one for what may have been missed', async () => {
        const [writer, reader] = [await openQueue(), await openQueue()];
        const { heard } = await watchEvents(reader);
        await sources[0]!.query(`SELECT pg_terminate_backend(pid) ${LISTENERS}`);
        await until(() => heard.count === 1, { what: 'listening again' });
        await writer.eventStore.write([event]);
        await until(() => heard.count === 2, { what: 'hearing of the event' });
      });
    });

    it('listens only while somebody watches', async () => {
      const queue = await openQueue();
      expect(await countListeners()).toBe(0);
      const { unwatch } = await watch(queue);
      expect(await countListeners()).toBe(1);
      unwatch();
      await until(async () => (await countListeners()) === 0, { what: 'the end of the connection' });
      const again = await watch(queue);
      expect(await countListeners()).toBe(1);
      again.unwatch();
    });
  },
);

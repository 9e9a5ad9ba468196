import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, JobEvents, JobsEvents, TypeOrmJobQueue, Worker } from '../../lib/index.js';
import { HandlerRegistry } from '../../lib/execution/handler-registry.js';
import { EventWriter } from '../../lib/outbox/event-writer.js';
import { resolveOptions } from '../../lib/nest/jobs.options.js';
import { describeOn, pooled, TestDatabase } from '../support/databases.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { PgBouncer } from '../support/pgbouncer.js';
import { until } from '../support/until.js';

describeOn(pooled, 'Behind a pooler in transaction mode before $name', (server) => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let dataSources: DataSource[];
  let queues: TypeOrmJobQueue[];
  let workers: Worker[];
  let logger: MemoryLogger;
  let calls: string[];

  beforeEach(async () => {
    database = await TestDatabase.create(server);
    bouncer = await PgBouncer.start(database.url, 3);
    [dataSources, queues, workers, calls] = [[], [], [], []];
    logger = new MemoryLogger();
  });

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await Promise.all(queues.map((queue) => queue.close()));
    await Promise.all(dataSources.map((dataSource) => dataSource.destroy()));
    await bouncer.stop();
    await database.drop();
  });

  /** As one process has it. */
  async function open() {
    const dataSource = await database.connect({ url: bouncer.url });
    dataSources.push(dataSource);
    const options = resolveOptions({ logger, worker: { pollIntervalMs: 100, leaseMs: 3_000 } });
    const queue = await new TypeOrmJobQueue(dataSource, options.queue).open();
    queues.push(queue);
    const handlers = new HandlerRegistry();
    const run = ({ id }: { id: string }) => calls.push(id);
    handlers.add({ kind: 'work', run, options: {}, declaredAt: 'the test' });
    const worker = new Worker(queue, handlers, options.worker, options.events);
    workers.push(worker);
    return { client: new JobClient(queue), events: options.events, work: () => worker.start() };
  }

  it('workers find everything by polling, and say so once each', async () => {
    const [one, other] = [await open(), await open()];
    await Promise.all([one.work(), other.work()]);
    const warnings = () => logger.lines.filter((line) => line.includes('Notifications do not arrive'));
    await until(() => warnings().length === 2);
    await Promise.all(
      Array.from({ length: 300 }, (_, n) => one.client.enqueue('work', { n }, { id: `job ${n}` })),
    );
    await other.client.enqueueMany(Array.from({ length: 300 }, () => ({ kind: 'work' })));
    await until(() => calls.length === 600);
    const isDone = async () => (await one.client.get('job 299'))?.status === 'DONE';
    await until(isDone, { what: '"the last one is DONE"' });
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(new Set(calls).size).toBe(600);
    expect(warnings()).toHaveLength(2);
    expect(logger.lines.filter((line) => /^(warn|error)/.test(line))).toEqual(warnings());
  });

  it('events of other processes come with the next look, and none is told twice', async () => {
    const [one, other] = [await open(), await open()];
    const heard: string[] = [];
    const jobEvents = new JobEvents(new JobsEvents(), queues[1]!.eventStore);
    const writer = new EventWriter(queues[0]!.eventStore, one.events);
    jobEvents.of({ scope: 'all', types: ['enqueued'] }).subscribe((event) => {
      if ('jobId' in event) heard.push(event.jobId);
    });
    try {
      await until(async () => (await queues[0]!.eventStore.wanted()).length === 1);
      await until(() => logger.lines.some((line) => line.includes('Notifications do not arrive')));
      writer.start();
      for (let n = 0; n < 20; n++) await one.client.enqueue('work', null, { id: `job ${n}` });
      await until(() => heard.length >= 20);
      await other.work();
      await until(() => calls.length === 20);
      expect(heard).toEqual(Array.from({ length: 20 }, (_, n) => `job ${n}`));
    } finally {
      await writer.stop();
      await jobEvents.close();
    }
  });
});

import { afterEach, beforeEach } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, TypeOrmJobQueue, Worker, type Job, type JobsModuleOptions } from '../../lib/index.js';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import { HandlerRegistry } from '../../lib/execution/handler-registry.js';
import type { JobHandlerOptions } from '../../lib/job/handler-options.js';
import { resolveOptions, type ResolvedOptions } from '../../lib/nest/jobs.options.js';
import { TestDatabase, type TestServer } from '../support/databases.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

/** The pool of the application's DataSource. */
export const POOL_SIZE = 4;

/** A worker and a client whose database is behind a proxy, and a way to the database past that proxy. */
export class ProxiedWorker {
  proxy!: TcpProxy;
  /** By way of the proxy, as the application has it. */
  dataSource!: DataSource;
  client!: JobClient;
  /** Past the proxy: what the database really holds. */
  direct!: DataSource;
  directClient!: JobClient;
  options!: ResolvedOptions;
  readonly logger = new MemoryLogger();
  /** The ids of the jobs whose handlers were called, in order. */
  readonly calls: string[] = [];
  private database!: TestDatabase;
  private queue: TypeOrmJobQueue | undefined;
  private worker: Worker | undefined;

  private constructor(private readonly server: TestServer) {}

  /** For the tests of the `describe` that this is called in. */
  static on(server: TestServer): ProxiedWorker {
    const proxied = new ProxiedWorker(server);
    beforeEach(() => proxied.start());
    afterEach(() => proxied.stop());
    return proxied;
  }

  get isPostgres(): boolean {
    return this.server.type === 'postgres';
  }

  /** Opens the queue that the client and the worker use, anew where there is one. */
  async open(options: JobsModuleOptions = {}): Promise<void> {
    await this.closeQueue();
    this.options = resolveOptions({ minRetryDelayMs: 0, logger: this.logger, ...options });
    this.queue = await new TypeOrmJobQueue(this.dataSource, this.options.queue).open();
    this.client = new JobClient(this.queue);
    const { queue } = resolveOptions({ logger: this.logger }); // a short time limit is for what goes through the proxy
    this.directClient = new JobClient(new TypeOrmJobQueue(this.direct, queue));
  }

  /** Starts a worker whose handler of the kind `work` is `run`. */
  async work(run: HandlerFn, options: JobHandlerOptions = {}): Promise<void> {
    const handlers = new HandlerRegistry();
    const remembering: HandlerFn = (job, context) => {
      this.calls.push(job.id);
      return run(job, context);
    };
    handlers.add({ kind: 'work', run: remembering, options, declaredAt: 'the test' });
    this.worker = new Worker(this.queue!, handlers, this.options.worker, this.options.events);
    await this.worker.start();
  }

  async stopWorker(): Promise<void> {
    await this.worker?.stop();
    this.worker = undefined;
  }

  /** The job as the database has it, once it is terminal. */
  async ended(id: string): Promise<Job> {
    let job: Job | null = null;
    const isTerminal = async () => {
      job = await this.directClient.get(id);
      return job !== null && job.status !== 'PENDING';
    };
    await until(isTerminal, { what: `"job ${id} is terminal"` });
    return job!;
  }

  /** How many jobs the database has that fulfil an SQL condition. */
  async count(condition: string): Promise<number> {
    const rows = await this.direct.query<{ n: string }[]>(
      `SELECT count(*) AS n FROM nest_jobs WHERE ${condition}`,
    );
    return Number(rows[0]!.n);
  }

  /** The server's names of the application's connections. */
  async connections(): Promise<string[]> {
    const rows = await this.direct.query<{ id: string }[]>(
      this.isPostgres
        ? `SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
        : `SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()`,
    );
    return rows.map(({ id }) => id);
  }

  async terminate(connection: string): Promise<void> {
    const statement = this.isPostgres ? `SELECT pg_terminate_backend(${connection})` : `KILL ${connection}`;
    await this.direct.query(statement).catch(() => undefined); // it may have gone by itself
  }

  private async closeQueue(): Promise<void> {
    await this.queue?.close();
    this.queue = undefined;
  }

  private async start(): Promise<void> {
    this.calls.length = 0;
    this.logger.lines.length = 0;
    this.database = await TestDatabase.create(this.server);
    this.direct = await this.database.connect({ poolSize: 1 });
    this.proxy = await TcpProxy.start(this.database.url);
    this.dataSource = await this.database.connect({ url: this.proxy.url, poolSize: POOL_SIZE });
    await this.open();
  }

  private async stop(): Promise<void> {
    await this.stopWorker();
    await this.closeQueue();
    // A connection that was being opened when the proxy fell silent is never answered, and pg waits for it without end.
    this.proxy.resetAll();
    // mysql2 may learn of a reset only as it says goodbye on that connection, and then its pool ends with an error.
    await this.dataSource.destroy().catch(() => undefined);
    await this.proxy.cut();
    await this.direct.destroy();
    await this.database.drop();
  }
}

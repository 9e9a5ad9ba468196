import type { DataSource } from 'typeorm';
import type { Startable } from '../../lib/async/loop.js';
import { JobClient } from '../../lib/client/job-client.js';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import type { DequeueSettings } from '../../lib/execution/dequeue.js';
import { UnknownKindError } from '../../lib/job/errors.js';
import { HandlerRegistry } from '../../lib/execution/handler-registry.js';
import type { AttemptHistory } from '../../lib/job/job-attempt.js';
import type { JobHandlerOptions } from '../../lib/job/handler-options.js';
import type { ClaimedJob, Job } from '../../lib/job/job.js';
import { loggedEvents } from '../../lib/events/log-subscriber.js';
import type { JobsLogger } from '../../lib/job/logger.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import type { LeaseTerms } from '../../lib/queue/lease.js';
import { MemoryJobQueue } from '../../lib/storage/memory/memory-job-queue.js';
import {
  TypeOrmJobQueue,
  type TypeOrmJobQueueSettings,
} from '../../lib/storage/typeorm/typeorm-job-queue.js';
import type { WorkerSettings } from '../../lib/worker/worker-session.js';
import { Worker } from '../../lib/worker/worker.js';
import { anyServer, TestDatabase, type TestServer } from './databases.js';
import { until } from './until.js';

/** A handler, alone or with its options. */
export type TestHandler = HandlerFn | { readonly run: HandlerFn; readonly options: JobHandlerOptions };

/** What a test may say of a queue on any store. */
export type StoreSettings = Partial<DequeueSettings> & { readonly attempts?: AttemptHistory };

export interface LogEntry {
  readonly level: keyof JobsLogger;
  readonly message: string;
}

export const KIND = 'mail';
export const MAX_BYTES = 1024 * 1024;
/** A lease that no test waits for. */
export const LONG: LeaseTerms = { workerId: 'tester', leaseMs: 60_000 };
/** A lease that is over at once. */
export const SHORT: LeaseTerms = { workerId: 'tester', leaseMs: 0 };

/** What a test of the contract works on: a storage, a queue over it, a client, and workers that end with the test. */
export abstract class Store {
  queue!: JobQueue;
  client!: JobClient;
  /** Whose transactions an enqueue can join. */
  dataSource!: DataSource;
  readonly logs: LogEntry[] = [];
  readonly logger: JobsLogger = {
    debug: (message) => void this.logs.push({ level: 'debug', message }),
    log: (message) => void this.logs.push({ level: 'log', message }),
    warn: (message) => void this.logs.push({ level: 'warn', message }),
    error: (message) => void this.logs.push({ level: 'error', message }),
  };
  readonly events = loggedEvents(this.logger);
  private readonly workers: Worker[] = [];
  private workerCount = 0;

  abstract readonly name: string;
  /** Watchers are told "any kind" once, when wake-ups from other processes begin to arrive. */
  abstract readonly tellsWhenItListens: boolean;
  /** Others can write while a transaction is open that has written. */
  readonly hasManyWriters: boolean = true;
  abstract start(): Promise<void>;
  abstract stop(): Promise<void>;
  /** A queue over the storage of this store. */
  abstract open(settings?: StoreSettings): JobQueue;
  /** Lets it be so much later for all jobs and keys that there are: they were made and settled so much longer ago. */
  abstract letPass(ms: number): Promise<void>;
  /** Empties the storage. */
  protected abstract clear(): Promise<void>;

  async reset(): Promise<void> {
    await this.clear();
    this.logs.length = 0;
    this.queue = this.open();
    this.client = this.clientOf(this.queue);
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.stop()));
  }

  /** @param kinds the kinds that may be enqueued; all of them by default */
  clientOf(queue: JobQueue, kinds?: readonly string[], maxPayloadBytes = MAX_BYTES): JobClient {
    const requireKind = (kind: string) => {
      if (kinds !== undefined && !kinds.includes(kind)) throw new UnknownKindError(kind, kinds);
    };
    return new JobClient(queue, { maxPayloadBytes, requireKind, events: this.events });
  }

  /** A worker that has been started. */
  async work(
    handlers: Readonly<Record<string, TestHandler>>,
    settings: Partial<WorkerSettings> = {},
    queue = this.queue,
    beside: readonly Startable[] = [],
    events = this.events,
  ): Promise<Worker> {
    const registry = new HandlerRegistry();
    for (const [kind, handler] of Object.entries(handlers)) {
      const { run, options } = typeof handler === 'function' ? { run: handler, options: {} } : handler;
      registry.add({ kind, run, options, declaredAt: `Test.${kind}` });
    }
    const worker = new Worker(queue, registry, this.workerSettings(settings), events, beside);
    this.workers.push(worker);
    await worker.start();
    return worker;
  }

  /** The job as it is stored. */
  async job(id: string): Promise<Job> {
    const job = await this.queue.get(id);
    if (job === null) throw new Error(`There is no job ${id}.`);
    return job;
  }

  /** The job, once it is terminal. */
  ended(id: string): Promise<Job> {
    return this.once(id, (job) => job.status !== 'PENDING', 'the job is terminal');
  }

  /** The job, once so many attempts have ended. */
  attempted(id: string, attempts = 1): Promise<Job> {
    return this.once(id, (job) => job.attemptsDone >= attempts, `the job has ended ${attempts} attempts`);
  }

  async once(id: string, condition: (job: Job) => boolean, what = 'the condition'): Promise<Job> {
    let job = await this.job(id);
    await until(async () => condition((job = await this.job(id))), { what });
    return job;
  }

  async claimOne(terms: LeaseTerms = LONG, kind = KIND): Promise<ClaimedJob> {
    const [job] = await this.queue.claim([kind], 1, terms);
    if (job === undefined) throw new Error(`No job of kind ${kind} was ready.`);
    return job;
  }

  /** Waits until leases have run out and their jobs are taken back. */
  async reclaimed(count: number, maxCrashes = 3) {
    const all = await this.queue.reclaim(maxCrashes);
    await until(async () => all.push(...(await this.queue.reclaim(maxCrashes))) >= count, {
      what: `the reclaim of ${count} jobs`,
    });
    return all;
  }

  logged(level: keyof JobsLogger, text: string): boolean {
    return this.logs.some((entry) => entry.level === level && entry.message.includes(text));
  }

  protected get dequeueSettings(): DequeueSettings {
    return {
      workerId: 'dequeuer',
      leaseMs: 10_000,
      heartbeatMs: 500,
      minRetryDelayMs: 0,
      maxCrashes: 3,
      maxPayloadBytes: MAX_BYTES,
      events: this.events,
    };
  }

  private workerSettings(settings: Partial<WorkerSettings>): WorkerSettings {
    const { leaseMs = 10_000 } = settings;
    return {
      workerId: `worker-${++this.workerCount}`,
      concurrency: 10,
      pollIntervalMs: 30,
      leaseMs,
      heartbeatMs: leaseMs / 4,
      shutdownTimeoutMs: 5_000,
      maxCrashes: 3,
      minRetryDelayMs: 0,
      maxPayloadBytes: MAX_BYTES,
      ...settings,
    };
  }
}

/** The queue in memory; the transactions that its enqueue joins are those of any database. */
export class MemoryStore extends Store {
  readonly name: string = 'MemoryJobQueue';
  readonly tellsWhenItListens = false;
  private database!: TestDatabase;
  private passedMs = 0;

  async start(): Promise<void> {
    this.database = await TestDatabase.create(anyServer());
    this.dataSource = await this.database.connect();
  }

  async stop(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
  }

  /** There is one queue over one memory: this is the store's queue anew, and empty. */
  open(settings: StoreSettings = {}): JobQueue {
    const now = () => this.clock();
    return this.use(
      new MemoryJobQueue({ ...this.dequeueSettings, dataSource: this.dataSource, ...settings }, now),
    );
  }

  letPass(ms: number): Promise<void> {
    this.passedMs += ms;
    return Promise.resolve();
  }

  protected clock(): number {
    return Date.now() + this.passedMs;
  }

  protected use(queue: JobQueue): JobQueue {
    this.queue = queue;
    this.client = this.clientOf(queue);
    return queue;
  }

  protected clear(): Promise<void> {
    this.passedMs = 0;
    return Promise.resolve();
  }
}

/** The queue in a database of its own on a server. */
export class SqlStore extends Store {
  database!: TestDatabase;
  private readonly opened: TypeOrmJobQueue[] = [];

  constructor(readonly server: TestServer) {
    super();
    this.hasManyWriters = server.type !== 'better-sqlite3';
  }

  get name(): string {
    return `TypeOrmJobQueue on ${this.server.name}`;
  }

  get isPostgres(): boolean {
    return this.server.type === 'postgres';
  }

  get isSqlite(): boolean {
    return this.server.type === 'better-sqlite3';
  }

  get isMysql(): boolean {
    return this.server.type === 'mysql';
  }

  get tellsWhenItListens(): boolean {
    return this.isPostgres;
  }

  override readonly hasManyWriters: boolean;

  async start(): Promise<void> {
    this.database = await TestDatabase.create(this.server);
    // Durability is not under test.
    if (this.isPostgres) await this.alterDatabase('SET synchronous_commit = off');
    const extra = this.isPostgres ? { max: 20 } : { connectionLimit: 20 };
    this.dataSource = await this.database.connect({ extra });
    await new TypeOrmJobQueue(this.dataSource, this.queueSettings()).open();
  }

  async stop(): Promise<void> {
    await this.closeAll();
    await this.dataSource.destroy();
    await this.database.drop();
  }

  open(settings: StoreSettings = {}): JobQueue {
    return this.openOn(this.dataSource, settings);
  }

  /** A queue over the same table by another DataSource. */
  openOn(dataSource: DataSource, settings: Partial<TypeOrmJobQueueSettings> = {}): TypeOrmJobQueue {
    const queue = new TypeOrmJobQueue(dataSource, this.queueSettings(settings));
    this.opened.push(queue);
    return queue;
  }

  queueSettings(settings: Partial<TypeOrmJobQueueSettings> = {}): TypeOrmJobQueueSettings {
    return {
      ...this.dequeueSettings,
      tablePrefix: 'nest_',
      migrate: 'auto',
      databaseTimeoutMs: 30_000,
      ...settings,
    };
  }

  /** Sends a statement with `?` for its parameters. */
  async sql(statement: string, parameters: readonly unknown[] = [], on = this.dataSource) {
    let place = 0;
    const text = this.isPostgres ? statement.replaceAll('?', () => `$${++place}`) : statement;
    return await on.query<Record<string, unknown>[]>(text, [...parameters]);
  }

  /** An instant of a job's row in milliseconds since 1970, as the database itself counts them. */
  async instant(id: string, column: string): Promise<number> {
    const millis = {
      postgres: `extract(epoch FROM ${column})::float8 * 1000`,
      mysql: `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${column}) / 1000`,
      'better-sqlite3': `unixepoch(${column}, 'subsec') * 1000`,
    }[this.server.type];
    const [row] = await this.sql(`SELECT ${millis} AS millis FROM nest_jobs WHERE id = ?`, [id]);
    return Number(row!.millis);
  }

  /** The database's clock, in milliseconds since 1970. */
  async now(on = this.dataSource): Promise<number> {
    const millis = {
      postgres: `extract(epoch FROM clock_timestamp())::float8 * 1000`,
      mysql: `UNIX_TIMESTAMP(SYSDATE(6)) * 1000`,
      'better-sqlite3': `unixepoch('subsec') * 1000`,
    }[this.server.type];
    const [row] = await this.sql(`SELECT ${millis} AS millis`, [], on);
    return Number(row!.millis);
  }

  async letPass(ms: number): Promise<void> {
    const earlier = (column: string) =>
      ({
        postgres: `${column} = ${column} - ? * interval '1 millisecond'`,
        mysql: `${column} = ${column} - INTERVAL ? * 1000 MICROSECOND`,
        'better-sqlite3': `${column} = strftime('%Y-%m-%d %H:%M:%f', ${column}, (-? / 1000.0) || ' seconds')`,
      })[this.server.type];
    await this.sql(`UPDATE nest_jobs SET ${earlier('created_at')}, ${earlier('updated_at')}`, [ms, ms]);
    await this.sql(`UPDATE nest_jobs_keys SET ${earlier('until')}`, [ms]);
    await this.sql(`UPDATE nest_jobs_events SET ${earlier('happened_at')}`, [ms]);
    await this.sql(`UPDATE nest_jobs_audit SET ${earlier('began_at')}`, [ms]);
    await this.sql(`UPDATE nest_jobs_listeners SET ${earlier('seen_at')}`, [ms]);
  }

  private async closeAll(): Promise<void> {
    for (const queue of this.opened.splice(0)) await queue.close();
  }

  private async alterDatabase(change: string): Promise<void> {
    const dataSource = await this.database.connect();
    await dataSource.query(`ALTER DATABASE ${this.database.name} ${change}`);
    await dataSource.destroy();
  }

  protected async clear(): Promise<void> {
    await this.closeAll();
    for (const table of TABLES) await this.sql(`DELETE FROM nest_jobs${table}`);
  }
}

/** The jobs table, and those beside it. */
const TABLES = [
  ...['', '_attempts', '_logs', '_labels', '_chores', '_schedules', '_keys'],
  ...['_controls', '_workers', '_minutes', '_events', '_listeners', '_audit'],
];

/** The same queue with some of its methods replaced. */
export function withMethods<Q extends JobQueue>(queue: Q, methods: Partial<JobQueue>): Q {
  return Object.assign(Object.create(queue) as Q, methods);
}

import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { dequeue, type DequeueSettings } from '../../execution/dequeue.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { InvalidOptionError } from '../../job/errors.js';
import { ForeignTransactionError, UnsupportedDatabaseError } from '../../job/storage-errors.js';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import {
  JobQueue,
  type DequeueFn,
  type EnqueueTarget,
  type Settlement,
  type TransactionalAttempt,
  type TransactionalWork,
  type WakeListener,
} from '../../queue/job-queue.js';
import type { HeldLeases, Lease, LeaseAnswer, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
import type { AmbientTransactions, TransactionWork } from '../../queue/transactions.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import { poolSizeOf } from '../sql/pool-connections.js';
import { RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import type { Sql } from '../sql/sql.js';
import { CommitWatcher } from '../transactions/commit-watcher.js';
import { TransactionalSettlement } from '../transactions/transactional-settlement.js';
import { Transactions } from '../transactions/transactions.js';
import { dataSourceOf } from '../transactions/typeorm-compat.js';
import { ClaimRetry } from './claim-retry.js';
import { dialectFor, type JobsTableOptions } from './dialect-for.js';
import { JobWriter } from './job-writer.js';
import { LeaseWriter } from './lease-writer.js';
import { Replication } from './replication.js';
import { SchemaMigrator } from './schema-migrator.js';
import { WakeUps } from './wake-ups.js';

/** What works on the table, made for what is known of the server. */
interface Parts {
  readonly dialect: Dialect;
  readonly wakeUps: WakeUps;
  readonly jobs: JobWriter;
  readonly claims: ClaimRetry;
  readonly leases: LeaseWriter;
  readonly transactional: TransactionalSettlement;
}

/**
 * The queue in a database, through a TypeORM DataSource. It may be used before `open`, on a server with the usual settings
 * and with a table that is there.
 */
export class TypeOrmJobQueue extends JobQueue {
  private readonly connections: Connections;
  private readonly transactions: Transactions;
  private readonly commits: CommitWatcher;
  private readonly replication: Replication;
  private parts: Parts;

  /** @throws UnsupportedDatabaseError, InvalidOptionError */
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: TypeOrmJobQueueSettings,
  ) {
    super();
    const { databaseTimeoutMs: answerMs, heartbeatMs, transactions, preparedStatements = true } = settings;
    const dialect = dialectFor(dataSource, settings);
    const { errors } = dialect;
    const patienceMs = heartbeatMs / 4;
    const onFailure = (error: unknown) => this.replication.failed(error);
    const lending = { answerMs, patienceMs, errors, preparedStatements, onFailure };
    this.connections = dialect.connect(dataSource, lending);
    this.transactions = new Transactions(dataSource, transactions);
    this.commits = new CommitWatcher(dataSource);
    this.replication = new Replication(dataSource, settings.events);
    this.parts = this.partsFor(dialect);
  }

  /**
   * Looks at the server and its table, and makes the table if `migrate` is `'auto'`.
   * @throws UnsupportedDatabaseError, SchemaVersionError, InvalidOptionError
   */
  async open(): Promise<this> {
    const { events, migrate } = this.settings;
    const dialect = await this.connections.run((sql) => this.parts.dialect.examine(sql));
    this.requireRoom(dialect);
    this.replication.check();
    await new SchemaMigrator(this.connections, dialect, events).run(migrate);
    this.parts = this.partsFor(dialect);
    return this;
  }

  /** Leaves the DataSource as it was. */
  override async close(): Promise<void> {
    this.commits.close();
    await this.parts.wakeUps.close();
    await this.connections.close();
  }

  async enqueue(jobs: readonly EncodedJob[], { manager }: EnqueueTarget = {}): Promise<Job[]> {
    if (jobs.length === 0) return [];
    const queryRunner = manager && this.queryRunnerOf(manager);
    if (queryRunner === undefined) {
      const stored = await this.parts.jobs.write(jobs);
      this.committed(jobs);
      return stored;
    }
    const isJoined = queryRunner.isTransactionActive;
    const stored = await this.parts.jobs.writeThrough(queryRunner, jobs, isJoined);
    if (isJoined) this.commits.afterCommit(queryRunner, () => this.committed(jobs));
    else this.committed(jobs);
    return stored;
  }

  currentTransaction(): EntityManager | undefined {
    return this.transactions.current();
  }

  transaction<Result>(work: TransactionWork<Result>): Promise<Result> {
    return this.transactions.run(work);
  }

  get(id: string): Promise<Job | null> {
    return this.connections.run((sql) => this.parts.dialect.jobs.get(sql, id));
  }

  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    const claimed = await this.parts.claims.claim(kinds, limit, terms);
    this.parts.wakeUps.claimed(claimed);
    return claimed;
  }

  renew(leases: readonly LeaseRenewal[], leaseMs: number, answerMs?: number): Promise<LeaseAnswer[]> {
    return this.parts.leases.renew(leases, leaseMs, answerMs);
  }

  settle(settlements: readonly Settlement[], answerMs?: number): Promise<LeaseAnswer[]> {
    return this.parts.leases.settle(settlements, answerMs);
  }

  override refusesContent(error: unknown): boolean {
    return this.parts.dialect.errors.refusesContent(error);
  }

  override requireTransactionalHandlers(whose: string): void {
    const { noTransactionalHandlers } = this.parts.dialect;
    if (noTransactionalHandlers === null) return;
    throw new UnsupportedDatabaseError(
      `The handler of ${whose} cannot be transactional ${noTransactionalHandlers}`,
    );
  }

  async runAndSettle(attempt: TransactionalAttempt, work: TransactionalWork): Promise<'written' | 'lost'> {
    this.requireTransactionalHandlers(`job ${attempt.id}`);
    return this.parts.transactional.run(attempt, work);
  }

  release(leases: readonly Lease[]): Promise<void> {
    return this.parts.leases.release(leases);
  }

  releaseUnheld(workerId: string, held: readonly Lease[]): Promise<number> {
    return this.connections.run((sql) => this.parts.dialect.jobs.releaseUnheld(sql, workerId, held));
  }

  async reclaim(maxCrashes: number, held: HeldLeases = () => []): Promise<ReclaimedJob[]> {
    const all: ReclaimedJob[] = [];
    for (;;) {
      const some = await this.connections.run((sql) =>
        this.parts.dialect.jobs.reclaim(sql, maxCrashes, held()),
      );
      all.push(...some);
      if (some.length < RECLAIMED_AT_ONCE) return all;
    }
  }

  dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean> {
    return dequeue(this, kinds, fn, this.settings);
  }

  watch(listener: WakeListener): () => void {
    return this.parts.wakeUps.watch(listener);
  }

  private queryRunnerOf(manager: EntityManager): QueryRunner | undefined {
    if (dataSourceOf(manager) === this.dataSource) return manager.queryRunner;
    throw new ForeignTransactionError('The transaction that this enqueue would be part of');
  }

  private committed(jobs: readonly EncodedJob[]): void {
    this.settings.events.emit('enqueued', { jobs });
    this.parts.wakeUps.committed(jobs);
  }

  private partsFor(dialect: Dialect): Parts {
    const { connections, dataSource } = this;
    const { databaseTimeoutMs, events } = this.settings;
    const leases = new LeaseWriter(connections, dialect.jobs, databaseTimeoutMs);
    return {
      dialect,
      wakeUps: new WakeUps(dialect.notifier(dataSource, connections, events)),
      jobs: new JobWriter(connections, dialect, databaseTimeoutMs),
      claims: new ClaimRetry(connections, dialect, events),
      leases,
      transactional: this.transactionalSettlement(dialect, leases),
    };
  }

  /** Transactions that stay open get half of the pool, so that what handlers do beside them finds connections as well. */
  private transactionalSettlement({ errors }: Dialect, leases: LeaseWriter): TransactionalSettlement {
    const { databaseTimeoutMs: answerMs, leaseMs } = this.settings;
    const storage = {
      errors,
      answerMs,
      settle: (_queryRunner: QueryRunner, sql: Sql, settlement: Settlement) =>
        leases.settleJoined(sql, settlement),
      renew: async (lease: LeaseRenewal) => (await leases.renew([lease], leaseMs))[0]!,
      get: (id: string) => this.get(id),
    };
    const maxOpen = Math.max(1, Math.floor(poolSizeOf(this.dataSource.options) / 2));
    return new TransactionalSettlement(this.transactions, storage, maxOpen);
  }

  /** A payload and what is carried with it are sent in one statement, in which a character may take twice its bytes. */
  private requireRoom({ maxStatementBytes }: Dialect): void {
    const { maxPayloadBytes } = this.settings;
    const most = Math.floor(maxStatementBytes / 4);
    if (maxPayloadBytes <= most) return;
    const allowed = `at most ${most}, a quarter of what the server takes in one statement (max_allowed_packet)`;
    throw new InvalidOptionError('maxPayloadBytes', maxPayloadBytes, allowed);
  }
}

export interface TypeOrmJobQueueSettings extends DequeueSettings, JobsTableOptions {
  readonly migrate: 'auto' | 'manual';
  /** The library whose transactions an enqueue joins. */
  readonly transactions?: AmbientTransactions;
  /** How long the database may take to answer a statement. */
  readonly databaseTimeoutMs: number;
  /** Whether frequent statements are prepared on PostgreSQL. Default true. */
  readonly preparedStatements?: boolean;
}

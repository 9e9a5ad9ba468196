import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { dequeue, type DequeueSettings } from '../../execution/dequeue.js';
import type { EncodedJob } from '../../job/encode-job.js';
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
import { SchemaMigrator } from './schema-migrator.js';
import { WakeUps } from './wake-ups.js';

/** The queue in a database, through a TypeORM DataSource. */
export class TypeOrmJobQueue extends JobQueue {
  private readonly dialect: Dialect;
  private readonly connections: Connections;
  private readonly transactions: Transactions;
  private readonly commits: CommitWatcher;
  private readonly wakeUps: WakeUps;
  private readonly jobs: JobWriter;
  private readonly claims: ClaimRetry;
  private readonly leases: LeaseWriter;
  private readonly transactional: TransactionalSettlement;

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: TypeOrmJobQueueSettings,
  ) {
    super();
    const { databaseTimeoutMs: answerMs, heartbeatMs, events, transactions } = settings;
    this.dialect = dialectFor(dataSource.options, settings);
    const { errors } = this.dialect;
    this.connections = this.dialect.connect(dataSource, { answerMs, patienceMs: heartbeatMs / 4, errors });
    this.transactions = new Transactions(dataSource, transactions);
    this.commits = new CommitWatcher(dataSource);
    this.wakeUps = new WakeUps(this.dialect.notifier(dataSource, this.connections, events));
    this.jobs = new JobWriter(this.connections, this.dialect, answerMs);
    this.claims = new ClaimRetry(this.connections, this.dialect, events);
    this.leases = new LeaseWriter(this.connections, this.dialect.jobs);
    this.transactional = this.transactionalSettlement();
  }

  /**
   * Checks the server and its table, and makes the table if `migrate` is `'auto'`.
   * @throws UnsupportedDatabaseError, SchemaVersionError
   */
  async open(): Promise<this> {
    const { events, migrate } = this.settings;
    await new SchemaMigrator(this.connections, this.dialect, events).run(migrate);
    return this;
  }

  /** Leaves the DataSource as it was. */
  override async close(): Promise<void> {
    this.commits.close();
    await this.wakeUps.close();
    await this.connections.close();
  }

  async enqueue(jobs: readonly EncodedJob[], { manager }: EnqueueTarget = {}): Promise<Job[]> {
    if (jobs.length === 0) return [];
    const queryRunner = manager && this.queryRunnerOf(manager);
    if (queryRunner === undefined) {
      const stored = await this.jobs.write(jobs);
      this.committed(jobs);
      return stored;
    }
    const isJoined = queryRunner.isTransactionActive;
    const stored = await this.jobs.writeThrough(queryRunner, jobs, isJoined);
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
    return this.connections.run((sql) => this.dialect.jobs.get(sql, id));
  }

  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    const claimed = await this.claims.claim(kinds, limit, terms);
    this.wakeUps.claimed(claimed);
    return claimed;
  }

  renew(leases: readonly LeaseRenewal[], leaseMs: number): Promise<LeaseAnswer[]> {
    return this.leases.renew(leases, leaseMs);
  }

  settle(settlements: readonly Settlement[]): Promise<LeaseAnswer[]> {
    return this.leases.settle(settlements);
  }

  override refusesContent(error: unknown): boolean {
    return this.dialect.errors.refusesContent(error);
  }

  override requireTransactionalHandlers(whose: string): void {
    const { noTransactionalHandlers } = this.dialect;
    if (noTransactionalHandlers === null) return;
    throw new UnsupportedDatabaseError(
      `The handler of ${whose} cannot be transactional ${noTransactionalHandlers}`,
    );
  }

  async runAndSettle(attempt: TransactionalAttempt, work: TransactionalWork): Promise<'written' | 'lost'> {
    this.requireTransactionalHandlers(`job ${attempt.id}`);
    return this.transactional.run(attempt, work);
  }

  release(leases: readonly Lease[]): Promise<void> {
    return this.leases.release(leases);
  }

  releaseUnheld(workerId: string, held: readonly Lease[]): Promise<number> {
    return this.connections.run((sql) => this.dialect.jobs.releaseUnheld(sql, workerId, held));
  }

  async reclaim(maxCrashes: number, held: HeldLeases = () => []): Promise<ReclaimedJob[]> {
    const all: ReclaimedJob[] = [];
    for (;;) {
      const some = await this.connections.run((sql) => this.dialect.jobs.reclaim(sql, maxCrashes, held()));
      all.push(...some);
      if (some.length < RECLAIMED_AT_ONCE) return all;
    }
  }

  dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean> {
    return dequeue(this, kinds, fn, this.settings);
  }

  watch(listener: WakeListener): () => void {
    return this.wakeUps.watch(listener);
  }

  private queryRunnerOf(manager: EntityManager): QueryRunner | undefined {
    if (dataSourceOf(manager) === this.dataSource) return manager.queryRunner;
    throw new ForeignTransactionError('The transaction that this enqueue would be part of');
  }

  private committed(jobs: readonly EncodedJob[]): void {
    this.settings.events.emit('enqueued', { jobs });
    this.wakeUps.committed(jobs);
  }

  /** Transactions that stay open get half of the pool, so that what handlers do beside them finds connections as well. */
  private transactionalSettlement(): TransactionalSettlement {
    const { databaseTimeoutMs: answerMs, leaseMs } = this.settings;
    const storage = {
      errors: this.dialect.errors,
      answerMs,
      settle: (_queryRunner: QueryRunner, sql: Sql, settlement: Settlement) =>
        this.leases.settleJoined(sql, settlement),
      renew: async (lease: LeaseRenewal) => (await this.renew([lease], leaseMs))[0]!,
      get: (id: string) => this.get(id),
    };
    const maxOpen = Math.max(1, Math.floor(poolSizeOf(this.dataSource.options) / 2));
    return new TransactionalSettlement(this.transactions, storage, maxOpen);
  }
}

export interface TypeOrmJobQueueSettings extends DequeueSettings, JobsTableOptions {
  readonly migrate: 'auto' | 'manual';
  /** The library whose transactions an enqueue joins. */
  readonly transactions?: AmbientTransactions;
  /** How long the database may take to answer a statement. */
  readonly databaseTimeoutMs: number;
}

import type { DataSource, EntityManager } from 'typeorm';
import {
  DatabaseTimeoutError,
  DuplicateJobError,
  ForeignTransactionError,
  UnsupportedDatabaseError,
} from '../../job/errors.js';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { sleep } from '../../async/timers.js';
import { dequeue, type DequeueSettings } from '../../execution/dequeue.js';
import { Transactions } from '../transactions/transactions.js';
import { Claimer } from './claim-retry.js';
import { CommitWatcher } from '../transactions/commit-watcher.js';
import type { Connections, RunOptions } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import { DuplicateIdError, duplicateIdAmong } from '../sql/duplicate-id.js';
import { poolSizeOf } from '../sql/pool-connections.js';
import { RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import { EnqueueBatcher } from './enqueue-batcher.js';
import {
  JobQueue,
  type DequeueFn,
  type EnqueueTarget,
  type TransactionalAttempt,
  type TransactionalWork,
  type Settlement,
  type WakeListener,
} from '../../queue/job-queue.js';
import {
  TransactionalSettlement,
  type TransactionalStorage,
} from '../transactions/transactional-settlement.js';
import { dialectFor, type JobsTableOptions } from './dialect-for.js';
import { answersOf } from './lease-results.js';
import type { HeldLeases, Lease, LeaseAnswer, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
import type { AmbientTransactions, TransactionWork } from '../../queue/transactions.js';
import { SchemaMigrator } from './schema-migrator.js';
import { dataSourceOf } from '../transactions/typeorm-compat.js';
import type { Sql } from '../sql/sql.js';
import { WakeUps } from './wake-ups.js';

export interface TypeOrmJobQueueSettings extends DequeueSettings, JobsTableOptions {
  readonly migrate: 'auto' | 'manual';
  /** The library whose transactions an enqueue joins. */
  readonly transactions?: AmbientTransactions;
  /** How long the database may take to answer a statement. */
  readonly databaseTimeoutMs: number;
}

/** The last pause of a release, which waits for about twice as long in all. */
const MAX_RELEASE_PAUSE_MS = 500;

/** The queue in a database, through a TypeORM DataSource. */
export class TypeOrmJobQueue extends JobQueue {
  private readonly dialect: Dialect;
  private readonly transactions: Transactions;
  private readonly connections: Connections;
  private readonly transactional: TransactionalSettlement;
  private readonly commits: CommitWatcher;
  private readonly wakeUps: WakeUps;
  private readonly batcher: EnqueueBatcher;
  private readonly claimer: Claimer;

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: TypeOrmJobQueueSettings,
  ) {
    super();
    this.dialect = dialectFor(dataSource.options, settings);
    this.transactions = new Transactions(dataSource, settings.transactions);
    const lending = {
      answerMs: settings.databaseTimeoutMs,
      patienceMs: settings.heartbeatMs / 4,
      errors: this.dialect.errors,
    };
    this.connections = this.dialect.connect(dataSource, lending);
    this.transactional = this.transactionalSettlement();
    this.commits = new CommitWatcher(dataSource);
    const { errors } = this.dialect;
    const wasRefused = (error: unknown) => error instanceof DuplicateIdError || errors.wasRefused(error);
    this.wakeUps = new WakeUps(this.dialect.notifier(dataSource, this.connections, settings.events));
    this.batcher = new EnqueueBatcher((jobs) => this.insert(jobs), wasRefused);
    this.claimer = new Claimer(this.connections, this.dialect, settings.events);
  }

  /**
   * Checks the server and its table, and makes the table where `migrate` is `'auto'`.
   * @throws UnsupportedDatabaseError, SchemaVersionError
   */
  async open(): Promise<this> {
    await new SchemaMigrator(this.connections, this.dialect, this.settings.events).run(this.settings.migrate);
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
    const wake = () => this.committed(jobs);
    try {
      const queryRunner = manager === undefined ? undefined : this.runnerOf(manager);
      if (queryRunner === undefined) {
        const stored = await this.batcher.enqueue(jobs);
        wake();
        return stored;
      }
      const joined = queryRunner.isTransactionActive;
      const stored = await this.dialect.jobs.insert(this.connections.through(queryRunner), jobs, joined);
      if (joined) this.commits.afterCommit(queryRunner, wake);
      else wake();
      return stored;
    } catch (error) {
      if (!(error instanceof DuplicateIdError)) throw error;
      const isStored = async (id: string) => (await this.get(id)) !== null;
      throw new DuplicateJobError(await duplicateIdAmong(jobs, error.id, isStored), { cause: error.cause });
    }
  }

  currentTransaction(): EntityManager | undefined {
    return this.transactions.current();
  }

  transaction<Result>(work: TransactionWork<Result>): Promise<Result> {
    return this.transactions.run(work);
  }

  private insert(jobs: readonly EncodedJob[]): Promise<Job[]> {
    const answerMs = this.settings.databaseTimeoutMs + jobs.length;
    return this.connections.run((sql) => this.dialect.jobs.insert(sql, jobs), { answerMs });
  }

  get(id: string): Promise<Job | null> {
    return this.connections.run((sql) => this.dialect.jobs.get(sql, id));
  }

  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    const claimed = await this.claimer.claim(kinds, limit, terms);
    this.wakeUps.claimed(claimed);
    return claimed;
  }

  renew(leases: readonly LeaseRenewal[], leaseMs: number): Promise<LeaseAnswer[]> {
    return this.underLeases(leases, (sql, sorted) => this.dialect.jobs.renew(sql, sorted, leaseMs), {
      isUrgent: true,
    });
  }

  settle(settlements: readonly Settlement[]): Promise<LeaseAnswer[]> {
    return this.underLeases(settlements, (sql, sorted) => this.dialect.jobs.settle(sql, sorted));
  }

  /** An answer that does not come in time may be that of a statement that is too large. */
  override isLinkFailure(error: unknown): boolean {
    return !this.dialect.errors.wasRefused(error) && !(error instanceof DatabaseTimeoutError);
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

  async release(leases: readonly Lease[]): Promise<void> {
    if (leases.length === 0) return;
    // A row that is locked just now, be it by a renewal of our own that is under way, is passed over: once more then.
    let left = leases;
    for (let pauseMs = 5; ; pauseMs *= 2) {
      const answers = await this.underLeases(left, (sql, sorted) => this.dialect.jobs.release(sql, sorted));
      left = left.filter((_lease, place) => answers[place] === 'busy');
      if (left.length === 0 || pauseMs > MAX_RELEASE_PAUSE_MS) return;
      await sleep(pauseMs);
    }
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

  private committed(jobs: readonly EncodedJob[]): void {
    this.settings.events.emit('enqueued', { jobs });
    this.wakeUps.committed(jobs);
  }

  private runnerOf(manager: EntityManager) {
    if (dataSourceOf(manager) === this.dataSource) return manager.queryRunner;
    throw new ForeignTransactionError('The transaction that this enqueue would be part of');
  }

  private async underLeases<L extends Lease>(
    leases: readonly L[],
    write: (sql: Sql, sorted: readonly L[]) => Promise<readonly Lease[]>,
    how: RunOptions = {},
  ): Promise<LeaseAnswer[]> {
    if (leases.length === 0) return [];
    return this.connections.run((sql) => this.answers(sql, leases, write), how);
  }

  private answers<L extends Lease>(
    sql: Sql,
    leases: readonly L[],
    write: (sql: Sql, sorted: readonly L[]) => Promise<readonly Lease[]>,
  ): Promise<LeaseAnswer[]> {
    return answersOf(
      leases,
      (sorted) => write(sql, sorted),
      (missing) => this.dialect.jobs.live(sql, missing),
    );
  }

  /** Transactions that stay open get half of the pool, so that what handlers do beside them finds connections as well. */
  private transactionalSettlement(): TransactionalSettlement {
    const storage: TransactionalStorage = {
      errors: this.dialect.errors,
      answerMs: this.settings.databaseTimeoutMs,
      settle: async (_queryRunner, sql, settlement) => {
        const write = () => this.dialect.jobs.settle(sql, [settlement], true);
        return (await this.answers(sql, [settlement], write))[0]!;
      },
      renew: async (lease) => (await this.renew([lease], this.settings.leaseMs))[0]!,
      get: (id) => this.get(id),
    };
    const maxOpen = Math.max(1, Math.floor(poolSizeOf(this.dataSource.options) / 2));
    return new TransactionalSettlement(this.transactions, storage, maxOpen);
  }
}

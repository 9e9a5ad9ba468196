import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { dequeue, type DequeueSettings } from '../../execution/dequeue.js';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import { JobsEvents } from '../../events/jobs-events.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { Transactions } from '../transactions/transactions.js';
import { CommitWatcher } from '../transactions/commit-watcher.js';
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
import type { HeldLeases, Lease, LeaseAnswer, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
import type { AmbientTransactions, TransactionWork } from '../../queue/transactions.js';
import { show, showClaimed, type Stored } from './memory-job.js';
import { MemoryJobs } from './memory-jobs.js';
import { memoryDataSource } from './memory-data-source.js';
import { dataSourceOf } from '../transactions/typeorm-compat.js';

/** What `new MemoryJobQueue()` takes. */
export interface MemoryJobQueueSettings extends DequeueSettings {
  /** Whose transactions `transaction` opens. Default: those of no database, which only enqueued jobs depend on. */
  readonly dataSource: DataSource;
  /** The library that the application uses for transactions. Default: none. */
  readonly transactions?: AmbientTransactions;
}

const DEFAULTS: Omit<DequeueSettings, 'events'> = {
  workerId: 'memory',
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  minRetryDelayMs: 5_000,
  maxCrashes: 3,
  maxPayloadBytes: 1024 * 1024,
};

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/**
 * The queue in the memory of one process, for tests: the same contract, nothing survives the process. An enqueue with
 * the manager of a transaction takes effect with its commit.
 */
export class MemoryJobQueue extends JobQueue {
  private readonly jobs: MemoryJobs;
  private readonly settings: DequeueSettings;
  private readonly listeners = new Set<WakeListener>();
  private readonly transactions: Transactions;
  private readonly transactional: TransactionalSettlement;
  /** Jobs whose outcome is part of a transaction that is not committed yet. */
  private readonly settling = new Set<string>();
  private readonly commits = new Map<DataSource, CommitWatcher>();
  /** The jobs that a callback adds when its transaction is committed. */
  private readonly uncommitted = new WeakMap<() => void, readonly Stored[]>();

  /**
   * @param settings those of `dequeue`, by default as in the module and without a log; `dataSource` and `transactions`
   * @param now the queue's clock, in milliseconds since 1970
   */
  constructor(
    { dataSource = memoryDataSource(), transactions, ...settings }: Partial<MemoryJobQueueSettings> = {},
    now: () => number = Date.now,
  ) {
    super();
    this.jobs = new MemoryJobs(now);
    this.settings = { ...DEFAULTS, events: new JobsEvents(), ...settings };
    this.transactions = new Transactions(dataSource, transactions);
    this.transactional = new TransactionalSettlement(
      this.transactions,
      this.transactionalStorage(),
      Infinity,
    );
  }

  async enqueue(jobs: readonly EncodedJob[], { manager }: EnqueueTarget = {}): Promise<Job[]> {
    const queryRunner = manager?.queryRunner;
    if (queryRunner?.isTransactionActive) return this.enqueueJoined(jobs, queryRunner).map(show);
    const stored = this.jobs.make(jobs);
    this.commit(jobs, stored);
    return stored.map(show);
  }

  override async close(): Promise<void> {
    for (const commits of this.commits.values()) commits.close();
    this.commits.clear();
  }

  currentTransaction(): EntityManager | undefined {
    return this.transactions.current();
  }

  transaction<Result>(work: TransactionWork<Result>): Promise<Result> {
    return this.transactions.run(work);
  }

  async get(id: string): Promise<Job | null> {
    const job = this.jobs.get(id);
    return job === undefined ? null : show(job);
  }

  /** All jobs, or those of one kind, in the order in which they were enqueued; also those that have ended. */
  list(kind?: string): Job[] {
    const all = this.jobs.all();
    return all.filter((job) => kind === undefined || job.kind === kind).map(show);
  }

  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    return this.jobs.claim(kinds, limit, terms).map(showClaimed);
  }

  async renew(leases: readonly LeaseRenewal[], leaseMs: number): Promise<LeaseAnswer[]> {
    return leases.map((lease) => this.jobs.renew(lease, leaseMs, lease.alone));
  }

  async settle(settlements: readonly Settlement[]): Promise<LeaseAnswer[]> {
    return settlements.map((settlement) => this.jobs.settle(settlement));
  }

  runAndSettle(attempt: TransactionalAttempt, work: TransactionalWork): Promise<'written' | 'lost'> {
    return this.transactional.run(attempt, work).finally(() => this.settling.delete(attempt.id));
  }

  async release(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) if (!this.settling.has(lease.id)) this.jobs.release(lease);
  }

  async releaseUnheld(workerId: string, held: readonly Lease[]): Promise<number> {
    return this.jobs.releaseUnheld(workerId, new Set(held.map(({ id }) => id)));
  }

  async reclaim(maxCrashes: number, held: HeldLeases = () => []): Promise<ReclaimedJob[]> {
    return this.jobs.reclaim(maxCrashes, new Set([...held().map(({ id }) => id), ...this.settling]));
  }

  dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean> {
    return dequeue(this, kinds, fn, this.settings);
  }

  watch(listener: WakeListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private enqueueJoined(jobs: readonly EncodedJob[], queryRunner: QueryRunner): readonly Stored[] {
    const commits = this.commitsOf(dataSourceOf(queryRunner));
    const earlier = commits
      .callbacksOf(queryRunner)
      .flatMap((onCommit) => this.uncommitted.get(onCommit) ?? []);
    const stored = this.jobs.make(jobs, earlier);
    const onCommit = () => this.commit(jobs, stored);
    this.uncommitted.set(onCommit, stored);
    commits.afterCommit(queryRunner, onCommit);
    return stored;
  }

  private commit(jobs: readonly EncodedJob[], stored: readonly Stored[]): void {
    if (stored.length === 0) return;
    this.jobs.add(stored);
    this.settings.events.emit('enqueued', { jobs });
    const kinds = [...new Set(stored.map((job) => job.kind))];
    for (const listener of this.listeners) listener(kinds);
  }

  private transactionalStorage(): TransactionalStorage {
    return {
      errors: { wasRefused: () => true, wantsRetry: () => false },
      answerMs: Infinity,
      settle: async (queryRunner, _sql, settlement) => {
        const answer = this.jobs.check(settlement);
        if (answer === 'lost') return answer;
        this.settling.add(settlement.id);
        const commits = this.commitsOf(dataSourceOf(queryRunner));
        commits.afterCommit(queryRunner, () => void this.jobs.settle(settlement));
        return answer;
      },
      renew: async (lease) => this.jobs.check(lease),
      get: (id) => this.get(id),
    };
  }

  private commitsOf(dataSource: DataSource): CommitWatcher {
    let commits = this.commits.get(dataSource);
    if (commits === undefined) this.commits.set(dataSource, (commits = new CommitWatcher(dataSource)));
    return commits;
  }
}

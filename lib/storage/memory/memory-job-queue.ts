import type { DataSource, EntityManager } from 'typeorm';
import { dequeue, type DequeueSettings } from '../../execution/dequeue.js';
import { DuplicateJobError } from '../../job/errors.js';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import { JobsEvents } from '../../events/jobs-events.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { compareIds } from '../../job/id-order.js';
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
import {
  copyOf,
  endAttempt,
  isRunning,
  show,
  showClaimed,
  store,
  unlock,
  type Stored,
} from './memory-job.js';
import { memoryDataSource } from './memory-data-source.js';
import { STATUS_AFTER } from '../sql/row.js';
import { dataSourceOf } from '../transactions/typeorm-compat.js';

/** What `new MemoryJobQueue()` takes. */
export interface MemoryJobQueueSettings extends DequeueSettings {
  /** Whose transactions `transaction` opens. Default: no database's; only what is enqueued then depends on them. */
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
  private readonly jobs = new Map<string, Stored>();
  private readonly settings: DequeueSettings;
  private readonly listeners = new Set<WakeListener>();
  private readonly transactions: Transactions;
  private readonly transactional: TransactionalSettlement;
  /** Jobs whose outcome is part of a transaction that is not committed yet. */
  private readonly settling = new Set<string>();
  private readonly commits = new Map<DataSource, CommitWatcher>();

  /**
   * @param settings of `dequeue`, the module's defaults where left out, and no log; `dataSource` and `transactions`
   * @param now the queue's clock, in milliseconds since 1970
   */
  constructor(
    { dataSource = memoryDataSource(), transactions, ...settings }: Partial<MemoryJobQueueSettings> = {},
    private readonly now: () => number = Date.now,
  ) {
    super();
    this.settings = { ...DEFAULTS, events: new JobsEvents(), ...settings };
    this.transactions = new Transactions(dataSource, transactions);
    this.transactional = new TransactionalSettlement(
      this.transactions,
      this.transactionalStorage(),
      Infinity,
    );
  }

  async enqueue(jobs: readonly EncodedJob[], { manager }: EnqueueTarget = {}): Promise<Job[]> {
    const now = this.now();
    const ids = new Set<string>();
    for (const { id } of jobs) {
      if (this.jobs.has(id) || ids.has(id)) throw new DuplicateJobError(id);
      ids.add(id);
    }
    const stored = jobs.map((job) => store(job, now));
    const commit = () => {
      for (const job of stored) this.jobs.set(job.id, job);
      if (stored.length === 0) return;
      this.settings.events.emit('enqueued', { jobs });
      this.wake(stored);
    };
    const queryRunner = manager?.queryRunner;
    if (queryRunner?.isTransactionActive)
      this.commitsOf(dataSourceOf(queryRunner)).afterCommit(queryRunner, commit);
    else commit();
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
    const jobs = [...this.jobs.values()];
    return jobs.filter((job) => kind === undefined || job.kind === kind).map(show);
  }

  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    const now = this.now();
    const left = new Map(kinds.map((kind) => [kind, terms.kindLimits?.get(kind) ?? limit]));
    const claimed: Stored[] = [];
    for (const job of this.ready(kinds, now)) {
      const room = left.get(job.kind)!;
      if (claimed.length >= limit) break;
      if (room <= 0) continue;
      left.set(job.kind, room - 1);
      claimed.push(job);
    }
    return claimed.map((job) => {
      job.leaseToken += 1;
      job.lockedBy = terms.workerId;
      job.lockedAt = job.heartbeatAt = new Date(now);
      job.lockedUntil = new Date(now + terms.leaseMs);
      job.alone = terms.alone ?? false;
      job.updatedAt = new Date(now);
      return showClaimed(job);
    });
  }

  async renew(leases: readonly LeaseRenewal[], leaseMs: number): Promise<LeaseAnswer[]> {
    return leases.map((lease) =>
      this.underLease(lease, (job) => {
        job.heartbeatAt = new Date(this.now());
        job.lockedUntil = new Date(this.now() + leaseMs);
        job.alone = lease.alone;
      }),
    );
  }

  async settle(settlements: readonly Settlement[]): Promise<LeaseAnswer[]> {
    return settlements.map((settlement) => this.underLease(settlement, (job) => this.write(job, settlement)));
  }

  runAndSettle(attempt: TransactionalAttempt, work: TransactionalWork): Promise<'written' | 'lost'> {
    return this.transactional.run(attempt, work).finally(() => this.settling.delete(attempt.id));
  }

  async release(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases)
      if (!this.settling.has(lease.id)) this.underLease(lease, (job) => unlock(job, this.now()));
  }

  async releaseUnheld(workerId: string, held: readonly Lease[]): Promise<number> {
    const heldIds = new Set(held.map(({ id }) => id));
    const unheld = [...this.jobs.values()].filter((job) => job.lockedBy === workerId && !heldIds.has(job.id));
    for (const job of unheld) unlock(job, this.now());
    return unheld.length;
  }

  async reclaim(maxCrashes: number, held: HeldLeases = () => []): Promise<ReclaimedJob[]> {
    const now = this.now();
    const spared = new Set([...held().map(({ id }) => id), ...this.settling]);
    const expired = [...this.jobs.values()].filter(
      (job) => isRunning(job) && job.lockedUntil!.getTime() < now && !spared.has(job.id),
    );
    return expired.map((job) => {
      const workerId = job.lockedBy!;
      const crashes = job.crashes + 1;
      const status = job.alone && crashes >= maxCrashes ? 'PANIC' : 'PENDING';
      job.crashes = crashes;
      job.status = status;
      job.lastError =
        `${status === 'PANIC' ? 'panic: ' : ''}the worker ${workerId} stopped renewing the lease of this job: ` +
        `its last heartbeat was at ${job.heartbeatAt!.toISOString()}, the lease ran out at ` +
        `${job.lockedUntil!.toISOString()}${job.alone ? '; the job ran alone' : ''} (crash ${crashes} of ${maxCrashes})`;
      endAttempt(job, now);
      return { id: job.id, kind: job.kind, workerId, crashes, status };
    });
  }

  dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean> {
    return dequeue(this, kinds, fn, this.settings);
  }

  watch(listener: WakeListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private transactionalStorage(): TransactionalStorage {
    return {
      errors: { wasRefused: () => true, wantsRetry: () => false },
      answerMs: Infinity,
      settle: async (queryRunner, _sql, settlement) => {
        const write = () => this.underLease(settlement, (job) => this.write(job, settlement));
        const answer = this.underLease(settlement, ({ id }) => void this.settling.add(id));
        if (answer === 'written') this.commitsOf(dataSourceOf(queryRunner)).afterCommit(queryRunner, write);
        return answer;
      },
      renew: async (lease) => this.underLease(lease, () => undefined),
      get: (id) => this.get(id),
    };
  }

  private commitsOf(dataSource: DataSource): CommitWatcher {
    let commits = this.commits.get(dataSource);
    if (commits === undefined) this.commits.set(dataSource, (commits = new CommitWatcher(dataSource)));
    return commits;
  }

  private wake(jobs: readonly Stored[]): void {
    for (const listener of this.listeners) listener([...new Set(jobs.map((job) => job.kind))]);
  }

  private ready(kinds: readonly string[], now: number): Stored[] {
    const served = new Set(kinds);
    return [...this.jobs.values()]
      .filter(
        (job) =>
          job.status === 'PENDING' && !isRunning(job) && served.has(job.kind) && job.runAt.getTime() <= now,
      )
      .sort(
        (a, b) => a.priority - b.priority || a.runAt.getTime() - b.runAt.getTime() || compareIds(a.id, b.id),
      );
  }

  private underLease(lease: Lease, write: (job: Stored) => void): LeaseAnswer {
    const job = this.jobs.get(lease.id);
    if (job === undefined || !isRunning(job) || job.leaseToken !== lease.leaseToken) return 'lost';
    write(job);
    return 'written';
  }

  private write(job: Stored, { outcome }: Settlement): void {
    const now = this.now();
    job.status = STATUS_AFTER[outcome.type];
    if (outcome.type === 'done') job.result = copyOf(outcome.result);
    else job.lastError = outcome.lastError;
    if (outcome.type === 'retry') job.runAt = new Date(now + outcome.delayMs);
    endAttempt(job, now);
  }
}

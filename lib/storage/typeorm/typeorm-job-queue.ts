import type { DataSource, EntityManager } from 'typeorm';
import { dequeue } from '../../execution/dequeue.js';
import { mayBeOne, type EncodedJob } from '../../job/encode-job.js';
import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
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
import type {
  HeldLeases,
  Lease,
  LeaseAnswer,
  LeaseRenewal,
  LeaseTerms,
  OwnClaims,
  RenewalAnswer,
} from '../../queue/lease.js';
import type { JobEditor } from '../../queue/job-editor.js';
import type { KindStore } from '../../queue/kind-store.js';
import type { ScheduleStore } from '../../queue/schedule-store.js';
import type { TransactionWork } from '../../queue/transactions.js';
import type { UniqueJobStore } from '../../queue/unique-job-store.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import { GatedConnections } from '../sql/gated-connections.js';
import { CommitWatcher } from '../transactions/commit-watcher.js';
import { Transactions } from '../transactions/transactions.js';
import { dialectFor } from './dialect-for.js';
import { retriesAmong } from './due-times.js';
import { LateOpening } from './late-opening.js';
import { openTable } from './open-table.js';
import { queueParts, type QueueParts } from './queue-parts.js';
import { Replication } from './replication.js';
import { SqlAudit } from './sql-audit.js';
import { SqlChores } from './sql-chores.js';
import { SqlEvents } from './sql-events.js';
import { SqlInspector } from './sql-inspector.js';
import { SqlNotes } from './sql-notes.js';
import { SqlReader } from './sql-reader.js';
import { SqlRetention } from './sql-retention.js';
import type { TypeOrmJobQueueSettings } from './typeorm-job-queue-settings.js';

export type { TypeOrmJobQueueSettings } from './typeorm-job-queue-settings.js';

/**
 * The queue in a database, through a TypeORM DataSource. It may be used before `open`, on a server with the usual settings
 * and with a table that is there.
 */
export class TypeOrmJobQueue extends JobQueue {
  /** Where the database may be down at the start. */
  override readonly opening?: LateOpening;
  readonly reads: SqlReader;
  readonly notes: SqlNotes;
  readonly retention: SqlRetention;
  readonly chores: SqlChores;
  readonly eventStore: SqlEvents;
  readonly audit: SqlAudit;
  readonly inspector: SqlInspector;
  private readonly connections: Connections;
  private readonly ungated: Connections;
  private readonly transactions: Transactions;
  private readonly commits: CommitWatcher;
  private readonly replication: Replication;
  private parts: QueueParts;

  /** @throws UnsupportedDatabaseError, InvalidOptionError */
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: TypeOrmJobQueueSettings,
  ) {
    super();
    const { databaseTimeoutMs: answerMs, heartbeatMs, transactions, preparedStatements = true } = settings;
    const dialect = dialectFor(dataSource, settings);
    const { errors } = dialect;
    const onFailure = (error: unknown) => this.replication.failed(error);
    const lending = { answerMs, patienceMs: heartbeatMs / 4, errors, preparedStatements, onFailure };
    this.ungated = this.connections = dialect.connect(dataSource, lending);
    this.transactions = new Transactions(dataSource, transactions);
    this.commits = new CommitWatcher(dataSource);
    this.replication = new Replication(dataSource, settings.events);
    if (settings.databaseAtStart === 'optional') {
      const opening = new LateOpening(dataSource, { ...settings, answerMs, errors }, (signal) =>
        this.openNow(signal),
      );
      this.opening = opening;
      this.connections = new GatedConnections(this.ungated, () => opening.refusal());
    }
    this.parts = this.partsFor(dialect);
    this.reads = new SqlReader(dataSource, () => this.parts);
    this.notes = new SqlNotes(this.connections, () => this.parts.dialect, answerMs);
    this.retention = new SqlRetention(this.connections, () => this.parts.dialect.retention);
    this.chores = new SqlChores(this.connections, () => this.parts.dialect.chores);
    this.eventStore = new SqlEvents(this.connections, () => this.parts);
    this.audit = new SqlAudit(this.connections, () => this.parts.dialect.audit);
    this.inspector = new SqlInspector(dataSource, this.connections, () => this.parts.dialect);
  }

  /**
   * Looks at the server and its table, and makes the table if `migrate` is `'auto'`. With `databaseAtStart: 'optional'` a
   * database that is down is waited for in the background.
   * @throws UnsupportedDatabaseError, SchemaVersionError, InvalidOptionError
   */
  async open(): Promise<this> {
    await (this.opening === undefined ? this.openNow() : this.opening.begin());
    return this;
  }

  /** Leaves the DataSource as it was. */
  override async close(): Promise<void> {
    await this.opening?.stop();
    this.commits.close();
    await this.parts.wakeUps.close();
    await this.connections.close();
  }

  get schedules(): ScheduleStore {
    return this.parts.schedules;
  }

  get edits(): JobEditor {
    return this.parts.edits;
  }

  get kinds(): KindStore {
    return this.parts.kinds;
  }

  get uniqueJobs(): UniqueJobStore {
    return this.parts.uniqueJobs;
  }

  async enqueue(jobs: readonly EncodedJob[], target: EnqueueTarget = {}): Promise<Job[]> {
    if (jobs.length === 0) return [];
    if (jobs.some(mayBeOne)) return this.uniqueJobs.enqueue(jobs, target);
    const { committed } = this.parts;
    const queryRunner = committed.queryRunnerOf(target);
    if (queryRunner === undefined) {
      const stored = await this.parts.jobs.write(jobs);
      committed.tell(jobs, stored);
      return stored;
    }
    const isJoined = queryRunner.isTransactionActive;
    const stored = await this.parts.jobs.writeThrough(queryRunner, jobs, isJoined);
    const writtenAt = performance.now();
    committed.afterCommit(queryRunner, () =>
      committed.tell(jobs, stored, isJoined, performance.now() - writtenAt),
    );
    return stored;
  }

  currentTransaction(): EntityManager | undefined {
    return this.transactions.current();
  }

  transaction<Result>(work: TransactionWork<Result>): Promise<Result> {
    const refusal = this.opening?.refusal();
    return refusal === undefined ? this.transactions.run(work) : Promise.reject(refusal);
  }

  get(id: string): Promise<Job | null> {
    return this.connections.run((sql) => this.parts.dialect.jobs.get(sql, id));
  }

  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    const { jobs, nextDueMs } = await this.parts.claims.claim(kinds, limit, terms);
    this.parts.wakeUps.claimed(jobs);
    if (nextDueMs !== undefined) this.parts.wakeUps.nextIsDue(kinds, nextDueMs);
    return jobs;
  }

  renew(leases: readonly LeaseRenewal[], leaseMs: number, answerMs?: number): Promise<RenewalAnswer[]> {
    return this.parts.leases.renew(leases, leaseMs, answerMs);
  }

  async settle(settlements: readonly Settlement[], answerMs?: number): Promise<LeaseAnswer[]> {
    const answers = await this.parts.leases.settle(settlements, answerMs);
    this.parts.committed.tellOfScheduled(retriesAmong(settlements, answers));
    return answers;
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

  reclaim(maxCrashes: number, held?: HeldLeases, own?: OwnClaims): Promise<ReclaimedJob[]> {
    return this.parts.leases.reclaim(maxCrashes, held, own);
  }

  dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean> {
    return dequeue(this, kinds, fn, this.settings);
  }

  watch(listener: WakeListener): () => void {
    const watch = () => this.parts.wakeUps.watch(listener);
    return this.opening === undefined ? watch() : this.opening.whenOpen(watch);
  }

  private async openNow(signal?: AbortSignal): Promise<void> {
    const { ungated, parts, settings } = this;
    const dialect = await openTable(ungated, parts.dialect, settings, signal);
    this.replication.check();
    this.parts = this.partsFor(dialect);
  }

  private partsFor(dialect: Dialect): QueueParts {
    const { dataSource, connections, transactions, commits, settings } = this;
    return queueParts(dialect, { queue: this, dataSource, connections, transactions, commits, settings });
  }
}

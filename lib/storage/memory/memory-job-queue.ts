import type { EntityManager } from 'typeorm';
import { dequeue, type DequeueSettings } from '../../execution/dequeue.js';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import { delayAfter } from '../../job/outcome.js';
import { JobsEvents } from '../../events/jobs-events.js';
import { mayBeOne, type EncodedJob } from '../../job/encode-job.js';
import { Transactions } from '../transactions/transactions.js';
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
import type {
  HeldLeases,
  Lease,
  LeaseAnswer,
  LeaseRenewal,
  LeaseTerms,
  OwnClaims,
  RenewalAnswer,
} from '../../queue/lease.js';
import type { TransactionWork } from '../../queue/transactions.js';
import { MemoryAudit } from './memory-audit.js';
import { MemoryAttempts } from './memory-attempts.js';
import { show, showClaimed, type Stored } from './memory-job.js';
import { MemoryJobs } from './memory-jobs.js';
import { MemoryEvents } from './memory-events.js';
import { MemoryInspector } from './memory-inspector.js';
import { MemoryJobEditor } from './memory-job-editor.js';
import { MemorySchedules } from './memory-schedules.js';
import { MemoryChores } from './memory-chores.js';
import { MemoryNotes } from './memory-notes.js';
import { MemoryKinds } from './memory-kinds.js';
import { MemoryReader } from './memory-reader.js';
import { MemoryRetention } from './memory-retention.js';
import { DEFAULTS, type MemoryJobQueueSettings } from './memory-queue-settings.js';
import { MemoryUniqueJobs } from './memory-unique-jobs.js';
import { MemoryTransactions } from './memory-transactions.js';
import { memoryDataSource } from './memory-data-source.js';

export type { MemoryJobQueueSettings } from './memory-queue-settings.js';

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/**
 * The queue in the memory of one process, for tests: the same contract, nothing survives the process. An enqueue with
 * the manager of a transaction takes effect with its commit.
 */
export class MemoryJobQueue extends JobQueue {
  readonly schedules: MemorySchedules;
  readonly edits: MemoryJobEditor;
  readonly kinds: MemoryKinds;
  readonly reads: MemoryReader;
  readonly notes: MemoryNotes;
  readonly uniqueJobs: MemoryUniqueJobs;
  readonly retention: MemoryRetention;
  readonly chores: MemoryChores;
  readonly eventStore: MemoryEvents;
  readonly audit: MemoryAudit;
  readonly inspector = new MemoryInspector({
    now: () => this.now(),
    list: () => this.list(),
    schedules: () => this.schedules,
  });
  private readonly jobs: MemoryJobs;
  private readonly settings: DequeueSettings;
  private readonly shown = (job: Stored): Job => show(job, this.now());
  private readonly created = (job: Stored): Job => ({ ...this.shown(job), enqueued: 'created' });
  private readonly listeners = new Set<WakeListener>();
  private readonly transactions: Transactions;
  private readonly transactional: TransactionalSettlement;
  /** Jobs whose outcome is part of a transaction that is not committed yet. */
  private readonly settling = new Set<string>();
  private readonly callers = new MemoryTransactions();
  private readonly holds = (job: Stored, key: string) => this.uniqueJobs.holds(job, key);
  private readonly afterCommit = (target: EnqueueTarget, callback: () => void) =>
    this.callers.afterCommit(target, callback);

  /**
   * @param settings those of `dequeue`, by default as in the module and without a log; `dataSource` and `transactions`
   * @param now the queue's clock, in milliseconds since 1970
   */
  constructor(
    {
      dataSource = memoryDataSource(),
      transactions,
      attempts = 'failures',
      ...settings
    }: Partial<MemoryJobQueueSettings> = {},
    private readonly now: () => number = Date.now,
  ) {
    super();
    this.jobs = new MemoryJobs(now, new MemoryAttempts(attempts));
    const { afterCommit, holds } = this;
    const ground = { now, jobs: this.jobs, transactions: this.callers };
    this.reads = new MemoryReader({ ...ground, holds, dataSource });
    this.notes = new MemoryNotes(this.jobs, now);
    this.retention = new MemoryRetention(this.jobs, now);
    this.chores = new MemoryChores(now);
    this.settings = { ...DEFAULTS, events: new JobsEvents(), ...settings };
    const { events } = this.settings;
    this.kinds = new MemoryKinds({ now, events, list: (kind) => this.list(kind), afterCommit });
    this.eventStore = new MemoryEvents(now);
    this.audit = new MemoryAudit(now);
    this.transactions = new Transactions(dataSource, transactions);
    const storage = this.transactionalStorage();
    this.transactional = new TransactionalSettlement(this.transactions, storage, Infinity);
    this.edits = new MemoryJobEditor({
      ...ground,
      events,
      retake: (wanted, target) => this.uniqueJobs.retake(wanted, target),
      tell: (kinds) => this.tell(kinds),
    });
    this.schedules = new MemorySchedules({
      now,
      see: (ids, target) => this.jobs.see(ids, this.callers.uncommittedIn(target)),
      cancel: (ids, reason) => this.edits.cancelNow(ids, reason),
      insert: (jobs) => this.enqueueNow(jobs),
      afterCommit,
    });
    this.uniqueJobs = new MemoryUniqueJobs({
      ...ground,
      commit: (jobs, stored) => this.commit(jobs, stored),
      tell: (kind, inMs) => this.tell([kind], inMs),
    });
  }

  async enqueue(jobs: readonly EncodedJob[], target: EnqueueTarget = {}): Promise<Job[]> {
    if (jobs.some(mayBeOne)) return this.uniqueJobs.enqueue(jobs, target);
    const queryRunner = target.manager?.queryRunner;
    if (queryRunner?.isTransactionActive !== true) return this.enqueueNow(jobs);
    const stored = this.jobs.make(jobs, this.callers.uncommittedIn(target));
    this.callers.atEnd(queryRunner, stored, () => this.commit(jobs, stored));
    return stored.map(this.created);
  }

  override async close(): Promise<void> {
    this.callers.close();
  }

  currentTransaction(): EntityManager | undefined {
    return this.transactions.current();
  }

  transaction<Result>(work: TransactionWork<Result>): Promise<Result> {
    return this.transactions.run(work);
  }

  async get(id: string): Promise<Job | null> {
    const job = this.jobs.get(id);
    return job === undefined ? null : this.shown(job);
  }

  /** All jobs, or those of one kind, in the order in which they were enqueued; also those that have ended. */
  list(kind?: string): Job[] {
    const all = this.jobs.all();
    return all.filter((job) => kind === undefined || job.kind === kind).map(this.shown);
  }

  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    const claimed = this.jobs.claim(kinds, limit, terms).map((job) => showClaimed(job, this.now()));
    const nextDueMs =
      claimed.length < limit && this.listeners.size > 0 ? this.jobs.nextDueMs(kinds) : undefined;
    if (nextDueMs !== undefined) this.tell(kinds, nextDueMs);
    return claimed;
  }

  async renew(leases: readonly LeaseRenewal[], leaseMs: number): Promise<RenewalAnswer[]> {
    return leases.map((lease) => this.jobs.renew(lease, leaseMs, lease.alone));
  }

  async settle(settlements: readonly Settlement[]): Promise<LeaseAnswer[]> {
    const answers = settlements.map((settlement) => this.jobs.settle(settlement));
    for (const [index, settlement] of settlements.entries())
      if (answers[index] === 'written') this.tellOfRetry(settlement);
    return answers;
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

  async reclaim(maxCrashes: number, held: HeldLeases = () => [], own?: OwnClaims): Promise<ReclaimedJob[]> {
    const spared = new Set([...held().map(({ id }) => id), ...this.settling]);
    return this.jobs.reclaim(maxCrashes, spared, own);
  }

  dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean> {
    return dequeue(this, kinds, fn, this.settings);
  }

  watch(listener: WakeListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private enqueueNow(jobs: readonly EncodedJob[]): Job[] {
    const stored = this.jobs.make(jobs);
    this.commit(jobs, stored);
    return stored.map(this.created);
  }

  private commit(jobs: readonly EncodedJob[], stored: readonly Stored[]): void {
    if (stored.length === 0) return;
    this.jobs.add(stored);
    this.settings.events.emit('enqueued', { jobs });
    const arrivals = stored.map((job) => ({ kind: job.kind, inMs: Math.max(0, this.jobs.dueInMs(job)) }));
    const ready = new Set(arrivals.filter(({ inMs }) => inMs === 0).map(({ kind }) => kind));
    if (ready.size > 0) this.tell([...ready]);
    for (const { kind, inMs } of arrivals) if (inMs > 0) this.tell([kind], inMs);
  }

  private tell(kinds: readonly string[] | null, inMs = 0): void {
    for (const listener of this.listeners) listener(kinds, inMs);
  }

  /** The job runs again, if it has not ended. */
  private tellOfRetry({ outcome, kind }: Settlement): void {
    const delayMs = delayAfter(outcome);
    if (delayMs !== null) this.tell(kind === undefined ? null : [kind], delayMs);
  }

  private transactionalStorage(): TransactionalStorage {
    return {
      errors: { wasRefused: () => true, wantsRetry: () => false },
      answerMs: Infinity,
      settle: async (queryRunner, _sql, settlement) => {
        const answer = this.jobs.check(settlement);
        if (answer === 'lost') return answer;
        this.settling.add(settlement.id);
        this.callers.atEnd(queryRunner, [], () => {
          if (this.jobs.settle(settlement) === 'written') this.tellOfRetry(settlement);
        });
        return answer;
      },
      renew: async (lease) => this.jobs.check(lease),
      get: (id) => this.get(id),
    };
  }
}

import type { EntityManager } from 'typeorm';
import type { EncodedJob } from '../job/encode-job.js';
import type { ClaimedJob, Job, JobContext, ReclaimedJob } from '../job/job.js';
import type { Outcome, Returned } from '../job/outcome.js';
import type { ChoreStore } from './chore-store.js';
import type {
  HeldLeases,
  Lease,
  LeaseAnswer,
  LeaseRenewal,
  LeaseTerms,
  OwnClaims,
  RenewalAnswer,
} from './lease.js';
import type { AuditStore } from './audit-store.js';
import type { EventStore } from './event-store.js';
import type { Inspector } from './inspector.js';
import type { JobEditor } from './job-editor.js';
import type { JobReader } from './job-reader.js';
import type { KindStore } from './kind-store.js';
import type { NoteStore } from './note-store.js';
import type { Opening } from './opening.js';
import type { RetentionStore } from './retention-store.js';
import type { ScheduleStore } from './schedule-store.js';
import type { EnqueueTarget, TransactionWork } from './transactions.js';
import type { UniqueJobStore } from './unique-job-store.js';

export type { EnqueueTarget } from './transactions.js';

/** What a handler does in a transaction. @returns its result, or that its job is put back */
export type TransactionalWork = (manager: EntityManager) => Promise<Returned>;

/** An attempt whose handler runs in a transaction. */
export interface TransactionalAttempt extends LeaseRenewal {
  /** How many attempts of the job had ended when it was claimed. */
  readonly attemptsDone: number;
  /** Aborts when the attempt must stop. */
  readonly signal: AbortSignal;
  /** The job is deleted when it is done. Default: false. */
  readonly deletes?: boolean;
}

/** An outcome that is to be written under the lease of its attempt. */
export interface Settlement extends Lease {
  readonly outcome: Outcome;
  /** The kind of the job: those who serve it hear when a retry is due. Without it, everybody hears. */
  readonly kind?: string;
  /** The job is deleted, with all that is stored beside it, in the place of being kept with its outcome. Default: false. */
  readonly deletes?: boolean;
}

/** What `dequeue` calls. The job is `DONE` when it returns; what it throws counts as in a handler without options. */
export type DequeueFn = (job: Job, context: JobContext) => unknown;

/**
 * Hears that jobs of some kinds may be ready now, or in `inMs` milliseconds by the storage's clock; null stands for any
 * kind. This is a hint: it may come without a reason, and it may be missed. The listener returns true where it is about to
 * claim those jobs, so that other processes need not hear of them at once.
 */
export type WakeListener = (kinds: readonly string[] | null, inMs?: number) => unknown;

/**
 * The contract over storage. Every implementation passes test/contract, sentence by sentence.
 *
 * - One clock decides what is ready and when a lease ends: the storage's. No method takes an instant of the caller's clock
 *   for that.
 * - A job is ready when it is `PENDING`, under no lease, and its `runAt` has come.
 * - A lease that has run out stays its holder's until `reclaim` takes it. Until then the holder's renewals and settlements
 *   are accepted.
 * - A method that takes a list treats each entry by itself, except `enqueue`, which writes all or none.
 * - A method that rejects may have been carried out, because the answer can be lost. It may be called again: `settle` and
 *   `release` answer `lost` where the first call did the work, and an enqueue with the same ids is a `DuplicateJobError`.
 */
export abstract class JobQueue {
  /** Where the storage may be down at the start: what opens it. Until it has, every method that needs the storage rejects. */
  readonly opening?: Opening;

  /** The schedules whose jobs are in this queue. */
  abstract readonly schedules: ScheduleStore;
  /** Reads jobs, many at once. */
  abstract readonly reads: JobReader;
  /** Writes what handlers note while they run. */
  abstract readonly notes: NoteStore;
  /** Changes jobs that are there. */
  abstract readonly edits: JobEditor;
  /** Jobs that are one with others, and their keys. */
  abstract readonly uniqueJobs: UniqueJobStore;
  /** What operators say of kinds, and which workers there are. */
  abstract readonly kinds: KindStore;
  /** Deletes settled jobs that are older than they are to be kept. */
  abstract readonly retention: RetentionStore;
  /** Events that wait to be read by listeners of all processes. */
  abstract readonly eventStore: EventStore;
  /** What people have done to jobs by hand. */
  abstract readonly audit: AuditStore;
  /** Which worker does what one worker of the cluster does at a time. */
  abstract readonly chores: ChoreStore;
  /** Looks for what keeps jobs from running. */
  abstract readonly inspector: Inspector;

  /**
   * Writes the jobs, all or none, and tells the watchers once they are committed. With a `manager` the jobs belong to its
   * transaction: they become visible with its commit and vanish with its rollback. If one of them has a unique key, or an
   * `ifExists`, all are written by `uniqueJobs.enqueue`.
   *
   * @returns the jobs as they are stored, in the order given
   * @throws DuplicateJobError where an id exists already or comes twice
   */
  abstract enqueue(jobs: readonly EncodedJob[], target?: EnqueueTarget): Promise<Job[]>;

  /**
   * The manager of the transaction that the caller runs in, if this queue knows of it: the caller runs inside
   * `transaction`, or in a transaction of a library that the queue was given. Undefined where there is none, or where it
   * is over.
   */
  abstract currentTransaction(): EntityManager | undefined;

  /**
   * Runs `work` in a transaction, which `currentTransaction` then returns. It commits when `work` has returned, and rolls
   * back and rejects with the error of `work` where that throws. Inside such a transaction it is a savepoint.
   */
  abstract transaction<Result>(work: TransactionWork<Result>): Promise<Result>;

  /** The job with this id, or null. */
  abstract get(id: string): Promise<Job | null>;

  /**
   * Takes up to `limit` ready jobs of the given kinds, by priority, then `runAt`, then id (by Unicode code points), and
   * gives each a new, higher lease token. No two callers get the same job. It waits for no lock: it passes over rows that
   * others have locked. Where those are the best jobs of several kinds, jobs of one kind may come first. It may take fewer
   * than there are where their payloads reach `terms.maxBytes`.
   */
  abstract claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]>;

  /**
   * Lets each lease end `leaseMs` from now. Answers in the order given, where a job was asked to end with that request.
   *
   * @param answerMs how long the storage may take to answer, where that is shorter than its own limit
   */
  abstract renew(
    leases: readonly LeaseRenewal[],
    leaseMs: number,
    answerMs?: number,
  ): Promise<RenewalAnswer[]>;

  /**
   * Writes outcomes, counts the attempts and ends the leases. A job that is `snoozed` is `PENDING` again, and neither an
   * attempt nor a crash is counted; one that was asked to end while it ran is `CANCELLED` instead. Jobs that are settled
   * with `deletes` are gone afterwards.
   * Answers in the order given. It rejects where the storage refuses one of the outcomes, and then writes none of those of the
   * same worker: send them one by one, as `Settler` does, so that none holds back the others. (A storage that has no
   * transactions of its own, as SQLite, may have deleted jobs by then.)
   *
   * @param answerMs how long the storage may take to answer, where that is shorter than its own limit
   */
  abstract settle(settlements: readonly Settlement[], answerMs?: number): Promise<LeaseAnswer[]>;

  /**
   * Whether a method rejected for what it was asked to write: the storage, or this process, would refuse the same again,
   * however often it is tried. By default never.
   */
  refusesContent(_error: unknown): boolean {
    return false;
  }

  /**
   * Does nothing where `runAndSettle` works, as it does by default.
   *
   * @param whose handler wants it, for the message: `kind invoice.mail`
   * @throws UnsupportedDatabaseError
   */
  requireTransactionalHandlers(_whose: string): void {}

  /**
   * Runs `work` in a new transaction, which `currentTransaction` then returns. The last statement of that transaction
   * writes that the job is done, with what `work` returns as its result, or that it is put back, where `work` returns that it
   * is snoozed. All of it is committed together, or nothing:
   *
   * - `work` throws: rejects with its error.
   * - The lease is not ours any more: answers `lost`.
   * - The signal aborts before `work` has returned: the statements of `work` are refused from then on. A second later the
   *   transaction is rolled back, even if `work` is still running. Rejects with the reason, or with the error of `work`.
   * - The storage undoes the transaction, or cannot begin it: rejects with a `TransactionUndoneError`.
   *
   * Where the answer to the commit is lost, it finds out by the lease what happened. Some calls may wait for others, so
   * that open transactions do not take all connections.
   */
  abstract runAndSettle(attempt: TransactionalAttempt, work: TransactionalWork): Promise<'written' | 'lost'>;

  /** Gives jobs back as if they had not been claimed: ready at once, no attempt counted. Passes over lost leases. */
  abstract release(leases: readonly Lease[]): Promise<void>;

  /**
   * Gives back, as `release` does, every job that is claimed under this `workerId` and is not among those held: the answer
   * to its claim was lost. Only for a worker that is not claiming at this moment.
   *
   * @returns how many there were
   */
  abstract releaseUnheld(workerId: string, held: readonly Lease[]): Promise<number>;

  /**
   * Takes back every job whose lease has run out, of any kind, and counts an attempt and a crash. A job with `maxCrashes`
   * crashes or more that ran alone at the last one becomes `PANIC`; every other one is ready again.
   *
   * @param held the leases that the caller holds itself, which are left to it: a caller whose process stood still may find
   * its own among those that have run out. It is asked when the statement is about to be sent.
   * @param own of the caller, which is alive: a job that is claimed under its name, and that it neither holds nor held, was
   * taken by a claim that the storage carried out late. It is given back, as `release` does, and no crash is counted.
   */
  abstract reclaim(maxCrashes: number, held?: HeldLeases, own?: OwnClaims): Promise<ReclaimedJob[]>;

  /**
   * Takes one ready job of the given kinds and keeps it locked until `fn` has returned and its outcome is written. Kinds
   * that are paused at the beginning of the call are passed over. It is in no register, so nobody who pauses a kind waits
   * for it.
   *
   * @returns whether there was a job
   */
  abstract dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean>;

  /**
   * Calls the listener when jobs of some kinds may have become ready; and before, as soon as this queue learns when a
   * scheduled or retried job will be:
   *
   * - Such a job is enqueued or settled through this queue, or by another process where the storage can tell it.
   * - A claim of this queue takes less than it asked for. It then knows when the next job of its kinds is due, or when to
   *   look again where many jobs of other kinds come before it.
   *
   * @returns a function that ends it
   */
  abstract watch(listener: WakeListener): () => void;

  /** Frees what the queue holds beside its storage. Nothing by default. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

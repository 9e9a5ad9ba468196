import type { EntityManager } from 'typeorm';
import type { StoredDocument } from '../job/document.js';
import type { EncodedJob } from '../job/encode-job.js';
import type { ClaimedJob, Job, JobContext, ReclaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { HeldLeases, Lease, LeaseAnswer, LeaseRenewal, LeaseTerms } from './lease.js';
import type { TransactionWork } from './transactions.js';

/** How an enqueue is written. */
export interface EnqueueTarget {
  /** Write through this `EntityManager`, as part of its transaction. Default: commit at once. */
  readonly manager?: EntityManager;
}

/** What a handler does in a transaction. @returns its result */
export type TransactionalWork = (manager: EntityManager) => Promise<StoredDocument>;

/** An attempt whose handler runs in a transaction. */
export interface TransactionalAttempt extends LeaseRenewal {
  /** How many attempts of the job had ended when it was claimed. */
  readonly attemptsDone: number;
  /** Aborts when the attempt must stop. */
  readonly signal: AbortSignal;
}

/** An outcome that is to be written under the lease of its attempt. */
export interface Settlement extends Lease {
  readonly outcome: Outcome;
}

/** What `dequeue` calls. The job is `DONE` when it returns; what it throws counts as in a handler without a retry policy. */
export type DequeueFn = (job: Job, context: JobContext) => unknown;

/**
 * Hears that jobs of some kinds may be ready now; null stands for any kind. This is a hint: it may come without a reason,
 * and it may be missed. The listener returns true where it is about to claim those jobs, so that other processes need not
 * hear of them at once.
 */
export type WakeListener = (kinds: readonly string[] | null) => unknown;

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
  /**
   * Writes the jobs, all or none, and tells the watchers once they are committed. With a `manager` the jobs belong to its
   * transaction: they become visible with its commit and vanish with its rollback.
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
   * Lets each lease end `leaseMs` from now. Answers in the order given.
   *
   * @param answerMs how long the storage may take to answer, where that is shorter than its own limit
   */
  abstract renew(leases: readonly LeaseRenewal[], leaseMs: number, answerMs?: number): Promise<LeaseAnswer[]>;

  /**
   * Writes outcomes, counts the attempts and ends the leases. Answers in the order given. It rejects where the storage
   * refuses one of the outcomes, and then writes none of them: send them one by one, as `Settler` does, so that none holds
   * back the others.
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
   * writes that the job is done, with what `work` returns as its result. All of it is committed together, or nothing:
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
   */
  abstract reclaim(maxCrashes: number, held?: HeldLeases): Promise<ReclaimedJob[]>;

  /**
   * Takes one ready job of the given kinds and keeps it locked until `fn` has returned and its outcome is written.
   *
   * @returns whether there was a job
   */
  abstract dequeue(kinds: readonly string[], fn: DequeueFn): Promise<boolean>;

  /**
   * Calls the listener when jobs of some kinds may have become ready.
   *
   * @returns a function that ends it
   */
  abstract watch(listener: WakeListener): () => void;

  /** Frees what the queue holds beside its storage. Nothing by default. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

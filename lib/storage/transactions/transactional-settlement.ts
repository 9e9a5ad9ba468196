import type { EntityManager, QueryRunner } from 'typeorm';
import { InvalidOptionError, JobsError } from '../../job/errors.js';
import { TransactionUndoneError } from '../../job/storage-errors.js';
import type { Job } from '../../job/job.js';
import { outcomeOfReturned, type Outcome } from '../../job/outcome.js';
import { ExponentialPause } from '../../async/pauses.js';
import type { Transactions } from './transactions.js';
import { depthOf } from './commit-watcher.js';
import type { DatabaseErrors } from '../sql/database-errors.js';
import type { TransactionalAttempt, TransactionalWork, Settlement } from '../../queue/job-queue.js';
import type { LeaseAnswer, LeaseRenewal, RenewalAnswer } from '../../queue/lease.js';
import { Semaphore } from '../../async/semaphore.js';
import type { Sql } from '../sql/sql.js';
import { ConnectionLoss } from './connection-loss.js';
import { StatementGate } from './statement-gate.js';

/** What a transactional settlement needs of its queue. */
export interface TransactionalStorage {
  readonly errors: Pick<DatabaseErrors, 'wasRefused' | 'wantsRetry'>;
  /** How long it may take to begin a transaction, to write an outcome, and to commit or roll back. */
  readonly answerMs: number;
  /** Writes the outcome in the transaction of the query runner, through `sql`. */
  settle(queryRunner: QueryRunner, sql: Sql, settlement: Settlement): Promise<LeaseAnswer>;
  /** In a transaction of its own. */
  renew(lease: LeaseRenewal): Promise<RenewalAnswer>;
  get(id: string): Promise<Job | null>;
}

interface Progress {
  step: 'opening' | 'working' | 'settling' | 'committing';
  gate?: StatementGate;
  loss?: ConnectionLoss;
  /** What its commit was to write. */
  outcome?: Outcome;
}

const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 1_000;
/** How long the open transaction waits for a row that another has locked. */
const MAX_BUSY_MS = 5_000;

/** Runs handlers in transactions whose last statement writes their outcome; see `JobQueue.runAndSettle`. */
export class TransactionalSettlement {
  private readonly open: Semaphore;

  /** @param maxOpen how many transactions may be open at once */
  constructor(
    private readonly transactions: Transactions,
    private readonly storage: TransactionalStorage,
    maxOpen: number,
  ) {
    this.open = new Semaphore(maxOpen);
  }

  async run(attempt: TransactionalAttempt, work: TransactionalWork): Promise<'written' | 'lost'> {
    await this.open.acquire(attempt.signal);
    const at: Progress = { step: 'opening' };
    try {
      const workAndSettle = (manager: EntityManager) => this.inside(manager, attempt, work, at);
      await this.transactions.runNew(workAndSettle, 'READ COMMITTED', this.storage.answerMs);
      return 'written';
    } catch (error) {
      if (error instanceof LeaseGone) return 'lost';
      if (at.step === 'committing') return await this.findOut(attempt, error, at);
      const reason = explained(error, at);
      throw this.wasUndone(error, at, attempt)
        ? new TransactionUndoneError(at.gate !== undefined, reason)
        : reason;
    } finally {
      at.loss?.stop();
      this.open.release();
    }
  }

  /** In READ COMMITTED: in a stricter level, a heartbeat since the start would make the outcome fail on PostgreSQL. */
  private async inside(
    manager: EntityManager,
    attempt: TransactionalAttempt,
    work: TransactionalWork,
    at: Progress,
  ): Promise<void> {
    const queryRunner = manager.queryRunner!;
    at.loss = new ConnectionLoss(await queryRunner.connect());
    at.step = 'working';
    const { errors, answerMs } = this.storage;
    const gate = (at.gate = new StatementGate(queryRunner, errors, answerMs));
    try {
      const outcome = (at.outcome = outcomeOfReturned(
        await gate.around(attempt.signal, () => work(manager)),
      ));
      at.step = 'settling';
      await this.settle(queryRunner, gate.sql, attempt, outcome);
      requireOutermost(queryRunner); // only now has everything that the handler had sent been answered
    } catch (error) {
      while (depthOf(queryRunner) > 1) await queryRunner.rollbackTransaction();
      throw gate.undoneBy ?? error; // a handler may have thrown another error because of it
    }
    at.step = 'committing';
  }

  /** Nothing waits for the lock of the job's row here, so that no deadlock can come of it. It is tried again instead. */
  private async settle(
    queryRunner: QueryRunner,
    sql: Sql,
    { id, leaseToken, lockedBy, signal, deletes = false }: TransactionalAttempt,
    outcome: Outcome,
  ): Promise<void> {
    const lease = { id, leaseToken, lockedBy };
    const settlement: Settlement = { ...lease, outcome, deletes: deletes && outcome.type === 'done' };
    const since = performance.now();
    const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    for (;;) {
      const answer = await this.storage.settle(queryRunner, sql, settlement);
      if (answer === 'written') return;
      if (answer === 'lost') throw new LeaseGone();
      if (performance.now() - since > MAX_BUSY_MS)
        throw new JobsError(`The row of job ${id} is locked by another.`);
      if (!(await pause.wait(signal))) throw signal.reason;
    }
  }

  /** Whether it is the database that ended the transaction, and not the handler or its time. */
  private wasUndone(error: unknown, { step, gate }: Progress, { signal }: TransactionalAttempt): boolean {
    if (signal.aborted || error instanceof InvalidOptionError) return false;
    const { wantsRetry, wasRefused } = this.storage.errors;
    if (step === 'working') return wantsRetry(error) || gate!.isBroken;
    return wantsRetry(error) || !(wasRefused(error) || error instanceof LeftOpenError);
  }

  /**
   * COMMIT failed, or its answer was lost. The row stays locked until the transaction has ended on the server. After that
   * the lease is either still ours, and nothing was committed, or it is not, and the row tells whose outcome it has.
   */
  private async findOut(
    attempt: TransactionalAttempt,
    error: unknown,
    at: Progress,
  ): Promise<'written' | 'lost'> {
    const { id, signal } = attempt;
    const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    for (;;) {
      const answer = await this.storage.renew(attempt).catch(() => 'busy');
      if (answer === 'lost') {
        const job = await this.storage.get(id).catch(() => undefined);
        if (job !== undefined) return isOutcomeOf(attempt, at.outcome!, job) ? 'written' : 'lost';
      } else if (answer === 'written' || typeof answer === 'object') {
        const { wasRefused, wantsRetry } = this.storage.errors;
        if (wasRefused(error) && !wantsRetry(error)) throw error;
        throw new TransactionUndoneError(true, explained(error, at));
      }
      if (await pause.wait(signal)) continue;
      // Where servers may lag behind, a row that this attempt has deleted is stale until its lease has ended.
      const job = answer === 'stale' ? await this.storage.get(id).catch(() => undefined) : undefined;
      if (job !== undefined && isOutcomeOf(attempt, at.outcome!, job)) return 'written';
      throw signal.reason;
    }
  }
}

/** Whether a job is in the state in which the attempt, if it was committed, has left it. */
function isOutcomeOf(
  { attemptsDone, deletes }: TransactionalAttempt,
  { type }: Outcome,
  job: Job | null,
): boolean {
  if (type === 'snoozed') return job?.attemptsDone === attemptsDone;
  if (job === null) return deletes === true;
  return job.status === 'DONE' && job.attemptsDone === attemptsDone + 1;
}

function explained(error: unknown, { loss }: Progress): unknown {
  return loss === undefined ? error : loss.explain(error);
}

/** Rolls the transaction back. */
class LeaseGone extends Error {}

/** The handler is at fault. */
class LeftOpenError extends JobsError {}

/** In a nested transaction, a commit would end only that one. */
function requireOutermost(queryRunner: QueryRunner): void {
  if (queryRunner.isTransactionActive && depthOf(queryRunner) === 1) return;
  throw new LeftOpenError(
    'The handler has returned and left its transaction in another state than it was given it: ' +
      'await each nested transaction, and leave COMMIT and ROLLBACK to the worker.',
  );
}

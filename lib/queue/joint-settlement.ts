import type { EntityManager, QueryRunner } from 'typeorm';
import type { StoredDocument } from '../job/document.js';
import { InvalidOptionError, JobsError, TransactionUndoneError } from '../job/errors.js';
import type { Job } from '../job/job.js';
import { sleep } from '../job/timers.js';
import type { Transactions } from './ambient-transactions.js';
import { depthOf } from './commit-watcher.js';
import type { DatabaseErrors } from './dialect.js';
import type { JointAttempt, JointWork, Settlement } from './job-queue.js';
import type { LeaseAnswer, LeaseRenewal } from './lease.js';
import { Places } from './places.js';
import type { Sql } from './sql.js';
import { StatementFence } from './statement-fence.js';

/** What a joint settlement needs of its queue. */
export interface JointStorage {
  readonly errors: Pick<DatabaseErrors, 'wasRefused' | 'wantsRetry'>;
  /** How long it may take to begin a transaction, to write an outcome, and to commit or roll back. */
  readonly answerMs: number;
  /** Writes the outcome in the transaction of the query runner, through `sql`. */
  settle(queryRunner: QueryRunner, sql: Sql, settlement: Settlement): Promise<LeaseAnswer>;
  /** In a transaction of its own. */
  renew(lease: LeaseRenewal): Promise<LeaseAnswer>;
  get(id: string): Promise<Job | null>;
}

interface Progress {
  step: 'opening' | 'working' | 'settling' | 'committing';
  fence?: StatementFence;
}

const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 1_000;
/** So long a row that somebody else has locked is waited for, with the transaction open. */
const MAX_BUSY_MS = 5_000;

/** Runs handlers in transactions whose last statement writes their outcome; see `JobQueue.settleTogether`. */
export class JointSettlement {
  private readonly places: Places;

  /** @param places how many transactions may be open at once */
  constructor(
    private readonly transactions: Transactions,
    private readonly storage: JointStorage,
    places: number,
  ) {
    this.places = new Places(places);
  }

  async run(attempt: JointAttempt, work: JointWork): Promise<'written' | 'lost'> {
    await this.places.take(attempt.signal);
    const at: Progress = { step: 'opening' };
    try {
      const run = (manager: EntityManager) => this.inside(manager, attempt, work, at);
      await this.transactions.runNew(run, 'READ COMMITTED', this.storage.answerMs);
      return 'written';
    } catch (error) {
      if (error instanceof LeaseGone) return 'lost';
      if (at.step === 'committing') return await this.findOut(attempt, error);
      throw this.wasUndone(error, at, attempt)
        ? new TransactionUndoneError(at.fence !== undefined, error)
        : error;
    } finally {
      this.places.leave();
    }
  }

  /** Under READ COMMITTED, or on PostgreSQL a heartbeat since the transaction's start would make the outcome fail. */
  private async inside(
    manager: EntityManager,
    attempt: JointAttempt,
    work: JointWork,
    at: Progress,
  ): Promise<void> {
    const queryRunner = manager.queryRunner!;
    at.step = 'working';
    const { errors, answerMs } = this.storage;
    const fence = (at.fence = new StatementFence(queryRunner, errors, answerMs));
    try {
      const result = await fence.around(attempt.signal, () => work(manager));
      at.step = 'settling';
      await this.settle(queryRunner, fence.sql, attempt, result);
      requireOutermost(queryRunner); // now, for whatever the handler had sent before has been answered
    } catch (error) {
      while (depthOf(queryRunner) > 1) await queryRunner.rollbackTransaction();
      throw fence.undoneBy ?? error; // a handler may have thrown something else for it
    }
    at.step = 'committing';
  }

  /** Nothing waits for a lock of the job's row here, so that no deadlock can come of it; it is asked again instead. */
  private async settle(
    queryRunner: QueryRunner,
    sql: Sql,
    { id, leaseToken, signal }: JointAttempt,
    result: StoredDocument,
  ): Promise<void> {
    const settlement: Settlement = { id, leaseToken, outcome: { type: 'done', result } };
    const since = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = nextPause(pauseMs)) {
      const answer = await this.storage.settle(queryRunner, sql, settlement);
      if (answer === 'written') return;
      if (answer === 'lost') throw new LeaseGone();
      if (performance.now() - since > MAX_BUSY_MS)
        throw new JobsError(`The row of job ${id} is locked by another.`);
      if (!(await sleep(pauseMs, signal))) throw signal.reason;
    }
  }

  /** Whether it is the database that ended the transaction, and not the handler or its time. */
  private wasUndone(error: unknown, { step, fence }: Progress, { signal }: JointAttempt): boolean {
    if (signal.aborted || error instanceof InvalidOptionError) return false;
    const { wantsRetry, wasRefused } = this.storage.errors;
    if (step === 'working') return wantsRetry(error) || fence!.isBroken;
    return wantsRetry(error) || !(wasRefused(error) || error instanceof LeftOpenError);
  }

  /**
   * COMMIT failed, or its answer was lost. Until the transaction has ended on the server the row is locked by it; then
   * the lease is either ours still, and nothing was committed, or it is not, and the row tells whose outcome it has.
   */
  private async findOut(attempt: JointAttempt, error: unknown): Promise<'written' | 'lost'> {
    const { id, attemptsDone, signal } = attempt;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = nextPause(pauseMs)) {
      const answer = await this.storage.renew(attempt).catch(() => 'busy');
      if (answer === 'lost') {
        const job = await this.storage.get(id).catch(() => undefined);
        if (job !== undefined)
          return job?.status === 'DONE' && job.attemptsDone === attemptsDone + 1 ? 'written' : 'lost';
      } else if (answer === 'written') {
        const { wasRefused, wantsRetry } = this.storage.errors;
        throw wasRefused(error) && !wantsRetry(error) ? error : new TransactionUndoneError(true, error);
      }
      if (!(await sleep(pauseMs, signal))) throw signal.reason;
    }
  }
}

/** Rolls the transaction back. */
class LeaseGone extends Error {}

/** A fault of the handler's. */
class LeftOpenError extends JobsError {}

/** A commit would only end the nested transaction that is open. */
function requireOutermost(queryRunner: QueryRunner): void {
  if (queryRunner.isTransactionActive && depthOf(queryRunner) === 1) return;
  throw new LeftOpenError(
    'The handler has returned and left its transaction in another state than it was given it: ' +
      'await each nested transaction, and leave COMMIT and ROLLBACK to the worker.',
  );
}

function nextPause(pauseMs: number): number {
  return Math.min(pauseMs * 2, MAX_PAUSE_MS);
}

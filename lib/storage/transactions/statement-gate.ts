import type { QueryRunner } from 'typeorm';
import { JobsError } from '../../job/errors.js';
import { sleep } from '../../async/timers.js';
import type { DatabaseErrors } from '../sql/dialect.js';
import { answeredThrough } from '../sql/connections.js';
import { sqlThrough, type Sql } from '../sql/sql.js';

type Query = (...args: readonly unknown[]) => Promise<unknown>;

/** How long work may go on after its signal has aborted before its transaction is rolled back under it. */
const GRACE_MS = 1_000;

/**
 * Stands before the connection of a transaction: once it is closed, only what rolls back is let through. So nothing of a
 * handler that goes on after its time is written, not even after the rollback, when each statement would commit itself.
 */
export class StatementGate {
  /** Why it is closed, if it is. */
  private reason: Error | undefined;
  private hasReturned = false;
  /** The error with which the database undid the transaction, which closes the fence: what follows would commit itself. */
  undoneBy: unknown;
  /** Not even a rollback was answered. */
  isBroken = false;
  /** Passes the fence. */
  readonly sql: Sql;

  /** @param answerMs how long the database may take to answer what is not the handler's: COMMIT, ROLLBACK, and `sql` */
  constructor(
    queryRunner: QueryRunner,
    errors: Pick<DatabaseErrors, 'wasRefused' | 'wantsRetry'>,
    answerMs: number,
  ) {
    const query = queryRunner.query.bind(queryRunner) as QueryRunner['query'] & Query;
    const limited: Query = (...args) => answeredThrough(queryRunner, query(...args), answerMs);
    this.sql = sqlThrough({ query: limited as QueryRunner['query'] });
    const fenced: Query = async (...args) => {
      const rollsBack = String(args[0]).startsWith('ROLLBACK');
      const commits = args[0] === 'COMMIT' && this.hasReturned;
      if (this.reason !== undefined && !rollsBack && !commits) throw this.reason;
      try {
        return await (rollsBack || commits ? limited : query)(...args);
      } catch (error) {
        if (rollsBack) this.isBroken ||= !errors.wasRefused(error);
        else if (errors.wantsRetry(error)) this.reason ??= this.undoneBy = error as Error;
        throw error;
      }
    };
    queryRunner.query = fenced as QueryRunner['query'];
  }

  /**
   * Runs work within it, and closes it when the signal aborts. Rejects with the reason where the work ends after that, or
   * does not end within a second. When it has returned, it is closed to what the work has left running.
   */
  async around<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const over = new AbortController();
    const abandoned = new Promise<never>((_resolve, reject) => {
      const close = () => {
        this.reason ??= signal.reason as Error;
        void sleep(GRACE_MS, over.signal).then((passed) => passed && reject(signal.reason as Error));
      };
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true, signal: over.signal });
    });
    try {
      const result = await Promise.race([work(), abandoned]);
      if (this.reason !== undefined) throw this.reason;
      this.hasReturned = true;
      this.reason = new JobsError(
        'The handler has returned, and with that its transaction is over: await each statement.',
      );
      return result;
    } finally {
      over.abort();
    }
  }
}

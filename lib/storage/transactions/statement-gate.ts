import type { QueryRunner } from 'typeorm';
import { after } from '../../async/timers.js';
import { JobsError } from '../../job/errors.js';
import { answeredThrough } from '../sql/break-off.js';
import type { DatabaseErrors } from '../sql/database-errors.js';
import { interceptQueries, type Query } from '../sql/intercepted-runner.js';
import { sqlThrough, type Sql } from '../sql/sql.js';

/** How long work may go on after its signal has aborted before its transaction is rolled back under it. */
const GRACE_MS = 1_000;

/**
 * Stands before the connection of a transaction. Once it is closed, only what rolls back is let through. So nothing of a
 * handler that goes on after its time is written, not even after the rollback, when each statement would commit itself.
 */
export class StatementGate {
  /** Why it is closed, if it is. */
  private reason: Error | undefined;
  private hasReturned = false;
  /** The error with which the database undid the transaction. It closes the gate: what follows would commit itself. */
  undoneBy: unknown;
  /** Not even a rollback was answered. */
  isBroken = false;
  /** Passes the gate. */
  readonly sql: Sql;

  /** @param answerMs how long the database may take to answer what is not the handler's: COMMIT, ROLLBACK, and `sql` */
  constructor(
    queryRunner: QueryRunner,
    private readonly errors: Pick<DatabaseErrors, 'wasRefused' | 'wantsRetry'>,
    answerMs: number,
  ) {
    const send = interceptQueries(queryRunner, (...args) => this.pass(args, send, limited));
    const limited: Query = (...args) => answeredThrough(queryRunner, send(...args), answerMs);
    this.sql = sqlThrough({ query: limited as QueryRunner['query'] });
  }

  /**
   * Runs work inside, and closes the gate when the signal aborts. Rejects with the signal's reason if the work ends after
   * that, or does not end within a second. When the work has returned, the gate closes to what it has left running.
   */
  async around<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    let cancel = () => {};
    let close!: () => void;
    const abandoned = new Promise<never>((_resolve, reject) => {
      close = () => {
        this.reason ??= signal.reason as Error;
        cancel = after(GRACE_MS, () => reject(signal.reason as Error));
      };
    });
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
    try {
      const result = await Promise.race([work(), abandoned]);
      if (this.reason !== undefined) throw this.reason;
      this.hasReturned = true;
      this.reason = new JobsError(
        'The handler has returned, and with that its transaction is over: await each statement.',
      );
      return result;
    } finally {
      signal.removeEventListener('abort', close);
      cancel();
    }
  }

  private async pass(args: readonly unknown[], send: Query, limited: Query): Promise<unknown> {
    const rollsBack = String(args[0]).startsWith('ROLLBACK');
    const commits = args[0] === 'COMMIT' && this.hasReturned;
    if (this.reason !== undefined && !rollsBack && !commits) throw this.reason;
    try {
      return await (rollsBack || commits ? limited : send)(...args);
    } catch (error) {
      if (rollsBack) this.isBroken ||= !this.errors.wasRefused(error);
      else if (this.errors.wantsRetry(error)) this.reason ??= this.undoneBy = error as Error;
      throw error;
    }
  }
}

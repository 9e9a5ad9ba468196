import type { EnqueueTarget } from '../../queue/transactions.js';
import type { Connections } from '../sql/connections.js';
import type { Sql } from '../sql/sql.js';
import type { CommittedJobs } from './committed-jobs.js';

/** @param isJoined whether `sql` is in a transaction of the caller's */
export type Statement<T> = (sql: Sql, isJoined: boolean) => Promise<T>;

/** Sends statements where a caller's target says: in its transaction, or over a connection of the queue. */
export class TargetConnections {
  constructor(
    private readonly connections: Connections,
    private readonly committed: CommittedJobs,
  ) {}

  /** @throws ForeignTransactionError */
  async run<T>(target: EnqueueTarget | undefined, statement: Statement<T>): Promise<T> {
    const queryRunner = this.committed.queryRunnerOf(target ?? {});
    if (queryRunner === undefined) return this.connections.run((sql) => statement(sql, false));
    return statement(this.connections.over(queryRunner), queryRunner.isTransactionActive);
  }

  /** Calls back when what was written there is committed: at once where the target is in no transaction. */
  afterCommit(target: EnqueueTarget | undefined, callback: () => void): void {
    this.committed.afterCommit(this.committed.queryRunnerOf(target ?? {}), callback);
  }
}

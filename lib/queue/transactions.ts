import type { DataSource, EntityManager } from 'typeorm';

/** How an enqueue is written. */
export interface EnqueueTarget {
  /** Write through this `EntityManager`, as part of its transaction. Default: commit at once. */
  readonly manager?: EntityManager;
}

/** Work in a transaction. */
export type TransactionWork<Result> = (manager: EntityManager) => Promise<Result>;

/** Named as in SQL. Undefined leaves it to the server. */
export type TransactionIsolation = 'READ COMMITTED';

/**
 * A library that carries the running transaction along with the asynchronous call, so that no manager is handed around.
 * Ready-made: `nestjs-typeorm-jobs/typeorm-transactional` and `nestjs-typeorm-jobs/cls-transactional`.
 */
export interface AmbientTransactions {
  /**
   * The manager of the caller's transaction, undefined where there is none. Where `dataSource` has no transaction, the
   * manager of another DataSource may be returned: an enqueue is then refused instead of being committed by itself.
   */
  current(dataSource: DataSource): EntityManager | undefined;
  /**
   * Runs `work` in a new transaction of `dataSource` that the library sees. Commits when `work` has returned. Rolls back
   * and rejects with the error that `work` throws. Without this method the transaction is TypeORM's own, and the library
   * does not see it.
   */
  run?<Result>(
    dataSource: DataSource,
    work: (manager: EntityManager) => Promise<Result>,
    isolation?: TransactionIsolation,
  ): Promise<Result>;
}

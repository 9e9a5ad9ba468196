import type { DataSource, EntityManager } from 'typeorm';

/** Work in a transaction. */
export type TransactionWork<Result> = (manager: EntityManager) => Promise<Result>;

/** As SQL names it; undefined leaves it to the server. */
export type TransactionIsolation = 'READ COMMITTED';

/**
 * A library that carries the running transaction along with the asynchronous call, so that nobody hands a manager
 * around. Ready-made: `nestjs-typeorm-jobs/typeorm-transactional` and `nestjs-typeorm-jobs/cls-transactional`.
 */
export interface AmbientTransactions {
  /**
   * The manager of the transaction that the caller runs in, undefined where it runs in none. One of another DataSource
   * may be returned where `dataSource` has none: an enqueue is then refused rather than committed by itself.
   */
  current(dataSource: DataSource): EntityManager | undefined;
  /**
   * Runs `work` in a new transaction of `dataSource` which the library sees: commits when `work` has returned, rolls
   * back and rejects with its error where it throws. Left out: a transaction of TypeORM's own, which the library does
   * not see.
   */
  run?<Result>(
    dataSource: DataSource,
    work: (manager: EntityManager) => Promise<Result>,
    isolation?: TransactionIsolation,
  ): Promise<Result>;
}

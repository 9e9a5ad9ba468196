import { Propagation, TransactionHost } from '@nestjs-cls/transactional';
import type { EntityManager } from 'typeorm';
import type { AmbientTransactions } from '../queue/transactions.js';

export interface ClsTransactionalOptions {
  /** The `connectionName` of the `ClsPluginTransactional` of the DataSource that keeps the jobs. Default: the plugin without one. */
  readonly connectionName?: string;
}

/** The part of the host that is used. The types of its adapter stay with the application. */
interface Host {
  readonly tx: EntityManager;
  isTransactionActive(): boolean;
  withTransaction<Result>(
    propagation: Propagation,
    options: object,
    work: () => Promise<Result>,
  ): Promise<Result>;
}

/**
 * Lets an enqueue without a manager join the transaction of `@Transactional()` of @nestjs-cls/transactional with its
 * adapter for TypeORM, and its `TransactionHost` see the transactions of `JobClient.transaction` and of transactional
 * handlers.
 *
 * ```ts
 * JobsModule.forRoot({ transactions: clsTransactional() })
 * ```
 */
export function clsTransactional({ connectionName }: ClsTransactionalOptions = {}): AmbientTransactions {
  const host = () => TransactionHost.getInstance(connectionName) as unknown as Host;
  return {
    current: () => (host().isTransactionActive() ? host().tx : undefined),
    run: (_dataSource, work, isolation) =>
      host().withTransaction(
        Propagation.RequiresNew,
        isolation === undefined ? {} : { isolationLevel: isolation },
        () => work(host().tx),
      ),
  };
}

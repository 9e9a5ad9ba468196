import { getDataSourceByName, IsolationLevel, Propagation, runInTransaction } from 'typeorm-transactional';
import type { DataSource } from 'typeorm';
import { InvalidOptionError } from '../job/errors.js';
import type { AmbientTransactions } from '../queue/transactions.js';

export interface TypeormTransactionalOptions {
  /**
   * The names under which `addTransactionalDataSource` knows your DataSources. An enqueue in a transaction of a named
   * DataSource that does not keep the jobs is an error; without the name it would be committed by itself.
   * Default: only `default`.
   */
  readonly connectionNames?: readonly string[];
}

/**
 * Lets an enqueue without a manager join the transaction of `@Transactional()` of typeorm-transactional, and its
 * repositories join the transactions of `JobClient.transaction` and of transactional handlers.
 *
 * ```ts
 * JobsModule.forRoot({ transactions: typeormTransactional() })
 * ```
 */
export function typeormTransactional(options: TypeormTransactionalOptions = {}): AmbientTransactions {
  const { connectionNames = ['default'] } = options;
  const known = () => connectionNames.map((name) => [name, getDataSourceByName(name)] as const);
  return {
    // The library makes `dataSource.manager` the manager of the running transaction.
    current: (dataSource) =>
      [dataSource, ...known().map(([, other]) => other)]
        .map((one) => one?.manager)
        .find((manager) => manager?.queryRunner?.isTransactionActive),
    run: (dataSource, work, isolation) => {
      const connectionName = nameOf(dataSource, known());
      const isolationLevel = isolation && IsolationLevel.READ_COMMITTED;
      return runInTransaction(() => work(dataSource.manager), {
        connectionName,
        propagation: Propagation.REQUIRES_NEW,
        isolationLevel,
      });
    },
  };
}

function nameOf(dataSource: DataSource, known: readonly (readonly [string, DataSource | undefined])[]) {
  const name = known.find(([, one]) => one === dataSource)?.[0];
  if (name !== undefined) return name;
  throw new InvalidOptionError(
    'transactions',
    known.map(([one]) => one),
    'typeormTransactional({ connectionNames }) with the name under which addTransactionalDataSource() knows the ' +
      'DataSource of the jobs',
  );
}

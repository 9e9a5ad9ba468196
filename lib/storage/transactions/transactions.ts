import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource, EntityManager } from 'typeorm';
import type { AmbientTransactions, TransactionIsolation, TransactionWork } from '../../queue/transactions.js';
import { sharedByCopies } from '../../job/copies.js';
import { DatabaseTimeoutError } from '../../job/storage-errors.js';
import { deferred } from '../../async/deferred.js';
import { endsWithin } from '../../async/timers.js';
import { breakOffThrough } from '../sql/break-off.js';
import { dataSourceOf } from './typeorm-compat.js';

interface Running {
  readonly manager: EntityManager;
  readonly outer: Running | undefined;
}

/** The plain TypeORM transactions that any copy of this package has opened, as the asynchronous call carries them along. */
const running = sharedByCopies('transactions', () => new AsyncLocalStorage<Running>());

/** Opens transactions on one DataSource, and knows the one that the caller runs in. */
export class Transactions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly library?: AmbientTransactions,
  ) {}

  /** The manager of the caller's transaction on this DataSource, or else of one on another. */
  current(): EntityManager | undefined {
    let foreign: EntityManager | undefined;
    for (const manager of this.all()) {
      if (manager?.queryRunner?.isTransactionActive !== true) continue; // over, or none
      if (dataSourceOf(manager) === this.dataSource) return manager;
      foreign ??= manager;
    }
    return foreign;
  }

  /** Runs `work` in the caller's transaction, as a savepoint of it, or else in a new one. */
  run<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    const outer = this.current();
    if (outer === undefined || dataSourceOf(outer) !== this.dataSource) return this.runNew(work);
    return outer.transaction((manager) => carry(manager, work));
  }

  /**
   * Runs `work` in a new transaction, whatever the caller runs in.
   *
   * @param beginMs how long it may take until `work` is called
   * @throws DatabaseTimeoutError if it takes longer
   */
  runNew<Result>(
    work: TransactionWork<Result>,
    isolation?: TransactionIsolation,
    beginMs = Infinity,
  ): Promise<Result> {
    const { library, dataSource } = this;
    if (library?.run !== undefined)
      return begunWithin(beginMs, work, (begin) => library.run!(dataSource, begin, isolation));
    const queryRunner = dataSource.createQueryRunner();
    const transaction = (begin: TransactionWork<Result>) => {
      const carried = (manager: EntityManager) => carry(manager, begin);
      const { manager } = queryRunner;
      const ended =
        isolation === undefined ? manager.transaction(carried) : manager.transaction(isolation, carried);
      return ended.finally(() => queryRunner.release());
    };
    return begunWithin(beginMs, work, transaction, () => breakOffThrough(queryRunner));
  }

  private *all(): Iterable<EntityManager | undefined> {
    yield this.library?.current(this.dataSource);
    for (let entry = running.getStore(); entry !== undefined; entry = entry.outer) yield entry.manager;
  }
}

/**
 * Runs a transaction that must have begun within `ms`. Otherwise it calls `giveUp`, and what begins later does nothing.
 * @throws DatabaseTimeoutError
 */
async function begunWithin<Result>(
  ms: number,
  work: TransactionWork<Result>,
  transaction: (begin: TransactionWork<Result>) => Promise<Result>,
  giveUp: () => Promise<void> = () => Promise.resolve(),
): Promise<Result> {
  if (ms === Infinity) return transaction(work);
  const begun = deferred();
  let isGivenUp = false;
  const ended = transaction((manager) => {
    if (isGivenUp) return Promise.reject(new DatabaseTimeoutError(ms));
    begun.resolve();
    return work(manager);
  });
  if (await endsWithin(Promise.race([begun.promise, ended]), ms)) return ended;
  isGivenUp = true;
  ended.catch(() => undefined);
  await giveUp();
  throw new DatabaseTimeoutError(ms);
}

function carry<Result>(manager: EntityManager, work: TransactionWork<Result>): Promise<Result> {
  return running.run({ manager, outer: running.getStore() }, async () => work(manager));
}

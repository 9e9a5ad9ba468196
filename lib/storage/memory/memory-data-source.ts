import type { DataSource, EntityManager, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { JobsError } from '../../job/errors.js';

type Event = 'afterTransactionStart' | 'afterTransactionCommit' | 'afterTransactionRollback';

/**
 * Transactions without a database, for jobs in memory: jobs that are enqueued in one appear with its commit. Any other use
 * of its manager is refused.
 */
export function memoryDataSource(): DataSource {
  const subscribers: EntitySubscriberInterface[] = [];
  const dataSource = {
    subscribers,
    createQueryRunner: () => new Runner(dataSource) as unknown as QueryRunner,
  };
  return dataSource as unknown as DataSource;
}

class Runner {
  readonly manager: EntityManager;
  transactionDepth = 0;

  constructor(private readonly dataSource: object) {
    const parts = {
      queryRunner: this,
      dataSource,
      connection: dataSource, // its name in TypeORM 0.3
      transaction: (...args: unknown[]) => this.transaction(args.at(-1) as Work),
    };
    this.manager = new Proxy(parts, { get: partOf }) as unknown as EntityManager;
  }

  get isTransactionActive(): boolean {
    return this.transactionDepth > 0;
  }

  query(): Promise<never> {
    return Promise.reject(noneFor('query'));
  }

  connect(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  private async transaction(work: Work): Promise<unknown> {
    this.transactionDepth += 1;
    this.tell('afterTransactionStart');
    let result: unknown;
    try {
      result = await work(this.manager);
    } catch (error) {
      this.transactionDepth -= 1;
      this.tell('afterTransactionRollback');
      throw error;
    }
    this.transactionDepth -= 1;
    this.tell('afterTransactionCommit');
    return result;
  }

  private tell(event: Event): void {
    const { subscribers } = this.dataSource as DataSource;
    for (const subscriber of subscribers) void subscriber[event]?.({ queryRunner: this } as never);
  }
}

type Work = (manager: EntityManager) => Promise<unknown>;

function partOf(parts: object, name: string | symbol): unknown {
  if (name in parts || typeof name === 'symbol' || name === 'then') return Reflect.get(parts, name);
  throw noneFor(name);
}

function noneFor(name: string): JobsError {
  return new JobsError(
    `There is no database behind this manager, so no ${name}: give MemoryJobQueue one with { dataSource }.`,
  );
}

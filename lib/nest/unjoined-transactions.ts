import type { DiscoveryService } from '@nestjs/core';
import type { DataSource, EntityManager } from 'typeorm';
import type { JobsEvents } from '../events/jobs-events.js';

/** A library for ambient transactions, and the adapter that lets an enqueue join them. */
export interface TransactionLibrary {
  readonly library: string;
  readonly adapter: string;
  readonly subPath: string;
}

const TYPEORM_TRANSACTIONAL: TransactionLibrary = {
  library: 'typeorm-transactional',
  adapter: 'typeormTransactional()',
  subPath: 'nestjs-typeorm-jobs/typeorm-transactional',
};

const CLS_TRANSACTIONAL: TransactionLibrary = {
  library: '@nestjs-cls/transactional',
  adapter: 'clsTransactional()',
  subPath: 'nestjs-typeorm-jobs/cls-transactional',
};

/** The part of a `TransactionHost` of @nestjs-cls/transactional that is used. */
interface TransactionHost {
  readonly tx: Partial<EntityManager> | undefined;
  isTransactionActive(): boolean;
}

/**
 * Tells once of an enqueue that joins no transaction although its caller runs in one of a library. A transaction that
 * TypeORM itself opens leaves no trace in the calling context, so it cannot be told.
 */
export class UnjoinedTransactions {
  private isTold = false;
  private hosts: readonly TransactionHost[] | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly discovery: Pick<DiscoveryService, 'getProviders'>,
    private readonly events: JobsEvents,
  ) {}

  /** Called for an enqueue that is committed by itself. */
  look(): void {
    if (this.isTold) return;
    const library = this.libraryOfCaller();
    if (library === undefined) return;
    this.isTold = true;
    this.events.emit('transactionNotJoined', library);
  }

  private libraryOfCaller(): TransactionLibrary | undefined {
    if (isPatched(this.dataSource) && isActive(this.dataSource.manager)) return TYPEORM_TRANSACTIONAL;
    this.hosts ??= this.findHosts();
    const isOurs = ({ tx }: TransactionHost) => isActive(tx) && dataSourceOf(tx) === this.dataSource;
    return this.hosts.some((host) => host.isTransactionActive() && isOurs(host))
      ? CLS_TRANSACTIONAL
      : undefined;
  }

  private findHosts(): TransactionHost[] {
    const instances = this.discovery.getProviders().map(({ instance }): unknown => instance);
    return instances.filter((instance): instance is TransactionHost => {
      const type = (instance as object | null | undefined)?.constructor;
      return type?.name === 'TransactionHost' && 'isTransactionActive' in (type.prototype as object);
    });
  }
}

/** Whether typeorm-transactional has made its `manager` that of the running transaction. */
function isPatched(dataSource: DataSource): boolean {
  return Object.getOwnPropertyDescriptor(dataSource, 'manager')?.get !== undefined;
}

function isActive(manager: Partial<EntityManager> | undefined): boolean {
  return manager?.queryRunner?.isTransactionActive === true;
}

/** `dataSource` in TypeORM 1, `connection` in 0.3. */
function dataSourceOf(manager: object | undefined): unknown {
  const { dataSource, connection } = (manager ?? {}) as { dataSource?: unknown; connection?: unknown };
  return dataSource ?? connection;
}

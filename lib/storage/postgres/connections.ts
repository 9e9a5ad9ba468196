import type { EventEmitter } from 'node:events';
import type { DataSource, QueryRunner } from 'typeorm';
import { isTestRun } from '../../async/test-run.js';
import type { Connections, ConnectionsSettings, RunOptions } from '../sql/connections.js';
import { PoolConnections } from '../sql/pool-connections.js';
import type { Sql } from '../sql/sql.js';
import { PreparedStatements } from './prepared-statements.js';

/** The part of TypeORM's PostgresDriver that is used. */
interface Driver {
  readonly master?: EventEmitter & { readonly options: { allowExitOnIdle?: boolean } };
}

/** Connections of the DataSource's pool, on which frequent statements are prepared. */
export class PostgresConnections implements Connections {
  private readonly prepared: PreparedStatements;
  private readonly pool: PoolConnections;
  private unguard: (() => void) | undefined;

  constructor(
    private readonly dataSource: DataSource,
    settings: ConnectionsSettings,
  ) {
    this.prepared = new PreparedStatements(settings.preparedStatements);
    this.pool = new PoolConnections(dataSource, settings, (queryRunner) => this.over(queryRunner));
  }

  run<T>(work: (sql: Sql) => Promise<T>, options?: RunOptions): Promise<T> {
    this.unguard ??= guard(this.dataSource);
    return this.pool.run(work, options);
  }

  over(queryRunner: QueryRunner): Sql {
    return this.prepared.over(queryRunner);
  }

  async close(): Promise<void> {
    this.unguard?.();
    this.unguard = undefined;
    await this.pool.close();
  }
}

/**
 * Listens for errors of the pool's connections from their first instant. If a backend is terminated just when the pool
 * hands out a new connection, the error comes before pg-pool or TypeORM listens for it, and would end the process.
 *
 * @returns what undoes it
 */
function guard(dataSource: DataSource): () => void {
  const pool = (dataSource.driver as unknown as Driver).master;
  if (isTestRun && pool !== undefined) pool.options.allowExitOnIdle = true;
  const listen = (client: EventEmitter) => client.on('error', () => undefined);
  pool?.on('connect', listen);
  return () => pool?.off('connect', listen);
}

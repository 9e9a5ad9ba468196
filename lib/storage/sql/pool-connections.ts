import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { ExponentialPause } from '../../async/pauses.js';
import { endsWithin } from '../../async/timers.js';
import { DatabaseTimeoutError } from '../../job/errors.js';
import { answered, breakOff } from './break-off.js';
import type { Connections, ConnectionsSettings, RunOptions } from './connections.js';
import { sqlThrough, type Sql } from './sql.js';

/** How often work is tried in all if the database undoes its transaction. */
const TRIES = 5;
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 160;

/**
 * Lends connections of a DataSource's pool to the queue's own statements. It does not use `dataSource.query()`: libraries
 * for ambient transactions patch that, and a claim must never end up inside a user's transaction.
 *
 * A missing answer is an error: if a firewall has forgotten a connection, nothing else would ever report it.
 */
export class PoolConnections implements Connections {
  private reserve: Promise<DataSource> | undefined;

  /** @param through how statements are sent through a query runner */
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: ConnectionsSettings,
    readonly through: (queryRunner: QueryRunner) => Sql = sqlThrough,
  ) {}

  /**
   * Runs `work` on a connection, and again if the database undid its transaction.
   * @throws DatabaseTimeoutError if it takes longer than `answerMs`; the connection is broken off then
   */
  async run<T>(work: (sql: Sql) => Promise<T>, { answerMs, isUrgent }: RunOptions = {}): Promise<T> {
    const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    for (let tries = 1; ; tries++) {
      const queryRunner = isUrgent ? await this.connectedSoon() : this.dataSource.createQueryRunner();
      try {
        return await this.lend(queryRunner, work, answerMs ?? this.settings.answerMs);
      } catch (error) {
        if (tries >= TRIES || !this.settings.errors.wantsRetry(error)) throw error;
        await pause.wait();
      }
    }
  }

  /** Closes the connection beside the pool. */
  async close(): Promise<void> {
    const reserve = await this.reserve?.catch(() => undefined);
    this.reserve = undefined;
    await reserve?.destroy();
  }

  /** From the pool, or else beside it. */
  private async connectedSoon(): Promise<QueryRunner> {
    const queryRunner = this.dataSource.createQueryRunner();
    const connected = queryRunner.connect();
    if (await endsWithin(connected, this.settings.patienceMs)) return queryRunner;
    connected.then(
      () => queryRunner.release(),
      () => undefined,
    );
    return (await this.openReserve()).createQueryRunner();
  }

  private async lend<T>(
    queryRunner: QueryRunner,
    work: (sql: Sql) => Promise<T>,
    answerMs: number,
  ): Promise<T> {
    try {
      const connection: unknown = await queryRunner.connect();
      try {
        return await answered(work(this.through(queryRunner)), answerMs);
      } catch (error) {
        if (error instanceof DatabaseTimeoutError || this.settings.errors.isReadOnly(error))
          await breakOff(connection);
        throw error;
      }
    } finally {
      await queryRunner.release();
    }
  }

  private openReserve(): Promise<DataSource> {
    this.reserve ??= new DataSource(reserveOptions(this.dataSource.options)).initialize();
    this.reserve.catch(() => (this.reserve = undefined)); // the next heartbeat tries again
    return this.reserve;
  }
}

/** How many connections the pool has, as TypeORM and the drivers read it. */
export function poolSizeOf({ poolSize = 10, extra }: DataSourceOptions): number {
  const { max, connectionLimit } = (extra ?? {}) as { max?: number; connectionLimit?: number };
  return max ?? connectionLimit ?? poolSize;
}

/** One connection to the same database, and nothing else of what a DataSource does. */
function reserveOptions(options: DataSourceOptions): DataSourceOptions {
  const extra = { ...(options.extra as Record<string, unknown> | undefined) };
  delete extra.max; // these sizes of the pool would override poolSize
  delete extra.connectionLimit;
  const nothing = { entities: [], migrations: [], subscribers: [], synchronize: false, migrationsRun: false };
  return { ...options, ...nothing, dropSchema: false, cache: false, poolSize: 1, extra } as DataSourceOptions;
}

import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { ExponentialPause } from '../../async/pauses.js';
import { endsWithin, unlessAborted } from '../../async/timers.js';
import { ConnectionTimeoutError, DatabaseTimeoutError } from '../../job/storage-errors.js';
import { answered, breakOff } from './break-off.js';
import type { Connections, ConnectionsSettings, RunOptions } from './connections.js';
import type { Sql } from './sql.js';

/** How often work is tried in all if the database undoes its transaction, or another server may do it. */
const TRIES = 8;
/**
 * From this try on a connection is given up when the database undoes its work once more: a node of Galera that is cut off
 * may call that a lock wait timeout.
 */
const STUBBORN_FROM = 3;
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

  /** @param over how statements are sent over the connection of a query runner */
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: ConnectionsSettings,
    readonly over: (queryRunner: QueryRunner) => Sql,
  ) {}

  /**
   * Runs `work` on a connection; again if the database undid its transaction, and on another one if the server is the wrong
   * one.
   * @throws ConnectionTimeoutError if none is free in time; DatabaseTimeoutError if the work takes longer than `answerMs`, and
   * the connection is broken off then
   */
  async run<T>(work: (sql: Sql) => Promise<T>, options: RunOptions = {}): Promise<T> {
    const { answerMs = this.settings.answerMs, isUrgent } = options;
    const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    for (let tries = 1; ; tries++) {
      try {
        const queryRunner = isUrgent ? await this.connectedSoon(answerMs) : await this.connected(answerMs);
        return await this.lend(queryRunner, work, { ...options, answerMs }, tries >= STUBBORN_FROM);
      } catch (error) {
        this.settings.onFailure?.(error);
        if (tries >= TRIES || !this.mayTryAgain(error)) throw error;
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

  /** From the pool. @throws ConnectionTimeoutError */
  private connected(answerMs: number): Promise<QueryRunner> {
    return connectedWithin(this.dataSource, Math.min(answerMs, this.settings.answerMs));
  }

  /** From the pool, or else beside it. @throws ConnectionTimeoutError */
  private async connectedSoon(answerMs: number): Promise<QueryRunner> {
    try {
      return await connectedWithin(this.dataSource, this.settings.patienceMs);
    } catch (error) {
      if (!(error instanceof ConnectionTimeoutError)) throw error;
      return connectedWithin(await this.openReserve(), Math.min(answerMs, this.settings.answerMs));
    }
  }

  private async lend<T>(
    queryRunner: QueryRunner,
    work: (sql: Sql) => Promise<T>,
    { answerMs, signal }: RunOptions & { readonly answerMs: number },
    isStubborn: boolean,
  ): Promise<T> {
    const { errors } = this.settings;
    try {
      const answer = answered(work(this.over(queryRunner)), answerMs);
      return await (signal === undefined ? answer : unlessAborted(answer, signal));
    } catch (error) {
      const isUseless =
        signal?.aborted === true || error instanceof DatabaseTimeoutError || errors.isWrongServer(error);
      if (isUseless || (isStubborn && errors.wantsRetry(error))) await breakOff(await queryRunner.connect());
      throw error;
    } finally {
      await queryRunner.release();
    }
  }

  /** In both cases nothing was written. */
  private mayTryAgain(error: unknown): boolean {
    const { errors } = this.settings;
    return errors.wantsRetry(error) || errors.isWrongServer(error);
  }

  private openReserve(): Promise<DataSource> {
    this.reserve ??= new DataSource(reserveOptions(this.dataSource.options)).initialize();
    this.reserve.catch(() => (this.reserve = undefined)); // the next heartbeat tries again
    return this.reserve;
  }
}

/** @throws ConnectionTimeoutError if no connection comes in time. One that comes later goes back to the pool. */
async function connectedWithin(dataSource: DataSource, ms: number): Promise<QueryRunner> {
  const queryRunner = dataSource.createQueryRunner();
  const connected: Promise<unknown> = queryRunner.connect();
  if (await endsWithin(connected, ms)) return queryRunner;
  connected.then(
    () => queryRunner.release(),
    () => undefined,
  );
  throw new ConnectionTimeoutError(ms, poolSizeOf(dataSource.options));
}

/** How many connections the pool has, as TypeORM and the drivers read it. */
export function poolSizeOf({ poolSize = 10, extra }: DataSourceOptions): number {
  const { max, connectionLimit } = (extra ?? {}) as { max?: number; connectionLimit?: number };
  return max ?? connectionLimit ?? poolSize;
}

/** One connection to the same database, and nothing else of what a DataSource does. */
export function reserveOptions(options: DataSourceOptions): DataSourceOptions {
  const extra = { ...(options.extra as Record<string, unknown> | undefined) };
  delete extra.max; // these sizes of the pool would override poolSize
  delete extra.connectionLimit;
  const nothing = { entities: [], migrations: [], subscribers: [], synchronize: false, migrationsRun: false };
  return { ...options, ...nothing, dropSchema: false, cache: false, poolSize: 1, extra } as DataSourceOptions;
}

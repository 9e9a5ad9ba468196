import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { DatabaseTimeoutError } from '../../job/errors.js';
import { ExponentialPause } from '../../async/pauses.js';
import { endsWithin } from '../../async/timers.js';
import { answered, breakOff } from './break-off.js';
import type { DatabaseErrors } from './dialect.js';
import { PreparedStatements } from './prepared-statements.js';
import { sqlThrough, type Sql } from './sql.js';

export interface ConnectionsSettings {
  /** How long the database may take to answer. */
  readonly answerMs: number;
  /** How long work that is to run soon waits for the pool. */
  readonly patienceMs: number;
  readonly errors: DatabaseErrors;
}

export interface RunOptions {
  /** How long the database may take to answer; `Infinity` for as long as it takes. */
  readonly answerMs?: number;
  /**
   * Do not wait for the pool where it has none to give, because handlers hold them all: use a connection beside it,
   * which is opened when it is first needed, and kept.
   */
  readonly soon?: boolean;
}

/** Connections for the queue's own statements, apart from the application's transactions. */
export interface OwnConnections {
  /** Runs `work` on one of them. @throws DatabaseTimeoutError where the database does not answer in time */
  run<T>(work: (sql: Sql) => Promise<T>, options?: RunOptions): Promise<T>;
  close(): Promise<void>;
}

/** A transaction that the database undid is sent so many times in all. */
const TRIES = 5;
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 160;

/**
 * Lends connections of a DataSource's pool to the queue's own statements. Not `dataSource.query()`: libraries for
 * ambient transactions patch that, and a claim must never end up inside of a user's transaction.
 *
 * No answer in time is an error: where a firewall has forgotten a connection, nothing else would ever tell.
 */
export class Connections implements OwnConnections {
  readonly prepared: PreparedStatements;
  private reserve: Promise<DataSource> | undefined;

  constructor(
    readonly dataSource: DataSource,
    private readonly settings: ConnectionsSettings,
  ) {
    this.prepared = new PreparedStatements(dataSource);
  }

  /**
   * Runs `work` on a connection; once more where the database undid its transaction.
   * @throws DatabaseTimeoutError where it takes longer than `answerMs`; the connection is broken off then
   */
  async run<T>(work: (sql: Sql) => Promise<T>, { answerMs, soon }: RunOptions = {}): Promise<T> {
    const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    for (let tries = 1; ; tries++) {
      const queryRunner = soon ? await this.soonConnected() : this.dataSource.createQueryRunner();
      try {
        return await this.lend(queryRunner, work, answerMs ?? this.settings.answerMs);
      } catch (error) {
        if (tries >= TRIES || !this.settings.errors.wantsRetry(error)) throw error;
        await pause.wait();
      }
    }
  }

  /** Lets go of the connection beside the pool. */
  async close(): Promise<void> {
    const reserve = await this.reserve?.catch(() => undefined);
    this.reserve = undefined;
    await reserve?.destroy();
  }

  /** Of the pool, or else beside it. */
  private async soonConnected(): Promise<QueryRunner> {
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
        return await answered(work(sqlThrough(queryRunner, this.prepared.on(queryRunner))), answerMs);
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

/** The same database by one connection, and nothing else of what a DataSource does. */
function reserveOptions(options: DataSourceOptions): DataSourceOptions {
  const extra = { ...(options.extra as Record<string, unknown> | undefined) };
  delete extra.max; // sizes of the pool, before which poolSize would give way
  delete extra.connectionLimit;
  const nothing = { entities: [], migrations: [], subscribers: [], synchronize: false, migrationsRun: false };
  return { ...options, ...nothing, dropSchema: false, cache: false, poolSize: 1, extra } as DataSourceOptions;
}

/** How many connections the pool has, as TypeORM and the drivers read it. */
export function poolSizeOf({ poolSize = 10, extra }: DataSourceOptions): number {
  const { max, connectionLimit } = (extra ?? {}) as { max?: number; connectionLimit?: number };
  return max ?? connectionLimit ?? poolSize;
}

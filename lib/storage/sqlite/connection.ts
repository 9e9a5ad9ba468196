import type { DataSource, QueryRunner } from 'typeorm';
import { ApplicationClosedError } from '../../job/application-errors.js';
import { TransactionOpenError, UnsupportedDatabaseError } from '../../job/storage-errors.js';
import { ExponentialPause } from '../../async/pauses.js';
import { sleep } from '../../async/timers.js';
import { nextTurn } from '../../async/turn.js';
import type { Connections, RunOptions } from '../sql/connections.js';
import { sqlOver, type Row, type Sql } from '../sql/sql.js';
import { statementError } from '../sql/statement-error.js';
import { isBusy } from './errors.js';

/** What better-sqlite3 is, as far as it is used here. */
interface Database {
  readonly inTransaction: boolean;
  prepare(text: string): Statement;
  pragma(text: string, options?: { simple: boolean }): unknown;
  close(): void;
}

interface Statement {
  /** Gives rows. */
  readonly reader: boolean;
  /** Writes nothing. */
  readonly readonly: boolean;
  all(...parameters: unknown[]): Row[];
  run(...parameters: unknown[]): unknown;
}

/** The options of the DataSource that lead to the same database. */
interface SqliteOptions {
  readonly database: string;
  readonly nativeBinding?: string;
  readonly key?: string;
  readonly readonly?: boolean;
  readonly prepareDatabase?: (database: Database) => void | Promise<void>;
}

interface SqliteDriver {
  readonly sqlite: new (file: string, options: object) => Database;
  /** The one that the whole application shares. */
  readonly queryRunner?: QueryRunner;
}

/** Sends a statement and has its rows when it returns. */
export type QueryNow = (text: string, parameters?: readonly unknown[]) => readonly Row[];

/** Sends a statement: over a connection of the queue's own the rows are there at once. */
export type Query = (
  text: string,
  parameters?: readonly unknown[],
) => readonly Row[] | Promise<readonly Row[]>;

/** What `run` and `over` hand out. */
interface OwnSql extends Sql {
  atOnce<T>(work: (query: QueryNow) => T): Promise<T>;
}

/**
 * Runs `work` in a transaction of its own that is over before any other code of this process can run.
 * @param sql what `run` or `over` handed out
 */
export function atOnce<T>(sql: Sql, work: (query: QueryNow) => T): Promise<T> {
  return (sql as OwnSql).atOnce(work);
}

const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 20;

/**
 * A connection of the queue's own to the file of a DataSource. TypeORM shares one for everything: a statement that is sent
 * while a transaction of the application is open becomes part of it, and vanishes with its rollback.
 *
 * Nothing here waits for a lock within SQLite. The driver is synchronous, so code of this process that holds the lock could
 * not release it meanwhile. A write that finds the database busy is tried again a little later. So is a write that comes
 * while a transaction of the application is open in this process, though that may not have the lock yet: what it has read
 * would be out of date, and its own first write would be refused (SQLITE_BUSY_SNAPSHOT).
 */
export class SqliteConnection implements Connections {
  private opening: Promise<Database> | undefined;
  private readonly statements = new Map<string, Statement>();
  private closed = false;

  /** @throws UnsupportedDatabaseError for a database in memory, which a second connection cannot see */
  constructor(
    private readonly dataSource: DataSource,
    private readonly answerMs: number,
  ) {
    const { database } = this.options;
    if (database !== '' && !/:memory:|[?&]mode=memory/.test(database)) return;
    throw new UnsupportedDatabaseError(
      `Jobs need a connection of their own, and an SQLite database in memory ("${database}") has only one. Use a file; ` +
        'for tests without one, JobsTestingModule of nestjs-typeorm-jobs/testing keeps the jobs in memory.',
    );
  }

  async run<T>(work: (sql: Sql) => Promise<T>, { answerMs = this.answerMs }: RunOptions = {}): Promise<T> {
    if (this.closed) throw new ApplicationClosedError();
    const until = performance.now() + answerMs;
    // Statements do not wait for a network here. Let calls of the same turn gather, and other code have its turn.
    await nextTurn();
    const database = await this.open(until);
    const query: Sql['query'] = (text, parameters = []) => this.query(database, text, parameters, until);
    const own: OwnSql = { query, atOnce: (transaction) => this.atOnce(database, transaction, until) };
    return work(own);
  }

  over(queryRunner: QueryRunner): OwnSql {
    const sql = this.queryOver(queryRunner);
    const atOnce: OwnSql['atOnce'] = async (work) => {
      const database = (await queryRunner.connect()) as Database;
      return this.atOnce(database, work, performance.now() + this.answerMs);
    };
    return { ...sql, atOnce };
  }

  private queryOver(queryRunner: QueryRunner): Sql {
    // eslint-disable-next-line @typescript-eslint/require-await -- the driver is synchronous
    return sqlOver(queryRunner, async (database, text, parameters) => {
      return rowsOf((database as Database).prepare(text), parameters);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    const database = await this.opening?.catch(() => undefined);
    this.statements.clear();
    database?.close();
  }

  private get options(): SqliteOptions {
    return this.dataSource.options as SqliteOptions;
  }

  private async query(
    database: Database,
    text: string,
    parameters: readonly unknown[],
    until: number,
  ): Promise<readonly Row[]> {
    const statement = this.prepare(database, text);
    const mayRun = () => statement.readonly || database.inTransaction || !this.isInUse;
    try {
      return await this.once(mayRun, until, () => rowsOf(statement, parameters));
    } catch (error) {
      throw error instanceof TransactionOpenError ? error : statementError(text, error);
    }
  }

  private atOnce<T>(database: Database, work: (query: QueryNow) => T, until: number): Promise<T> {
    const query: QueryNow = (text, parameters = []) => {
      try {
        return rowsOf(this.prepare(database, text), parameters);
      } catch (error) {
        throw statementError(text, error);
      }
    };
    const mayBegin = () => !database.inTransaction && !this.isInUse;
    return this.once(mayBegin, until, () => {
      query('BEGIN IMMEDIATE'); // with this it has the lock, and nothing after it can be busy
      try {
        const result = work(query);
        query('COMMIT');
        return result;
      } catch (error) {
        if (database.inTransaction) query('ROLLBACK');
        throw error;
      }
    });
  }

  /** Does `write` as soon as it may and no other connection is writing. */
  private async once<T>(mayRun: () => boolean, until: number, write: () => T): Promise<T> {
    const begunAt = performance.now();
    const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    for (;;) {
      try {
        if (mayRun()) return write();
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      const pauseMs = pause.next();
      if (performance.now() + pauseMs > until) throw new TransactionOpenError(Math.round(until - begunAt));
      await sleep(pauseMs);
    }
  }

  /** Whether a transaction of the application is open in this process. */
  private get isInUse(): boolean {
    return (this.dataSource.driver as unknown as SqliteDriver).queryRunner?.isTransactionActive === true;
  }

  private prepare(database: Database, text: string): Statement {
    let statement = this.statements.get(text);
    if (statement === undefined) this.statements.set(text, (statement = database.prepare(text)));
    return statement;
  }

  private open(until: number): Promise<Database> {
    this.opening ??= this.connect(until).catch((error: unknown) => {
      this.opening = undefined; // the next call tries again
      throw error;
    });
    return this.opening;
  }

  private async connect(until: number): Promise<Database> {
    const { database: file, nativeBinding, key, readonly = false, prepareDatabase } = this.options;
    const { sqlite } = this.dataSource.driver as unknown as SqliteDriver;
    const database = new sqlite(file, { timeout: 0, nativeBinding, readonly });
    try {
      if (key !== undefined) database.pragma(`key = ${JSON.stringify(key)}`);
      await prepareDatabase?.(database);
      database.pragma('busy_timeout = 0');
      const mode = () => database.pragma('journal_mode = WAL', { simple: true });
      if ((await this.once(() => true, until, mode)) === 'wal') return database;
      throw new UnsupportedDatabaseError(`Jobs need SQLite's WAL mode, and "${file}" cannot be set to it.`);
    } catch (error) {
      database.close();
      throw error;
    }
  }
}

/** Runs a statement. The driver does not take booleans. */
function rowsOf(statement: Statement, parameters: readonly unknown[]): readonly Row[] {
  const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value));
  if (statement.reader) return statement.all(...values);
  statement.run(...values);
  return [];
}

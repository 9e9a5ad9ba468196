import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import { JobsError, TransactionOpenError, UnsupportedDatabaseError } from '../../job/errors.js';
import { sleep } from '../../async/timers.js';
import type { OwnConnections, RunOptions } from '../sql/connections.js';
import type { Row, Sql } from '../sql/sql.js';
import { isBusy } from './sqlite-errors.js';

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

/** Those options of the DataSource that lead to the same database. */
interface SqliteOptions {
  readonly database: string;
  readonly nativeBinding?: string;
  readonly key?: string;
  readonly readonly?: boolean;
  readonly prepareDatabase?: (database: Database) => void | Promise<void>;
}

interface SqliteDriver {
  readonly sqlite: new (file: string, options: object) => Database;
  /** The one that all of the application shares. */
  readonly queryRunner?: QueryRunner;
}

const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 20;

/**
 * A connection of the queue's own to the file of a DataSource. TypeORM shares one for everything: a statement that is sent
 * while somebody's transaction is open becomes part of it, and vanishes with its rollback.
 *
 * Nothing here waits for a lock within SQLite. The driver is synchronous: whoever holds the lock in this process could not
 * let go of it meanwhile. A write that finds the database busy is tried again a little later. So is one that comes while a
 * transaction of the application is open in this process, though it may have no lock yet: what it has read would be out of
 * date, and its own first write would be refused (SQLITE_BUSY_SNAPSHOT).
 */
export class SqliteConnection implements OwnConnections {
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
    if (this.closed) throw new JobsError('The queue of these jobs is closed.');
    const until = performance.now() + answerMs;
    // Statements do not wait for the network here: let what comes at the same time gather, and others have a turn.
    await nextTurn();
    const database = await this.open(until);
    const query: Sql['query'] = (text, parameters = []) => this.query(database, text, parameters, until);
    return work({ query, queryPrepared: query });
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
    return this.once(mayRun, until, () => {
      if (statement.reader) return statement.all(...parameters);
      statement.run(...parameters);
      return [];
    });
  }

  /** Does `write` as soon as it may and nobody else is writing. */
  private async once<T>(mayRun: () => boolean, until: number, write: () => T): Promise<T> {
    const begun = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        if (mayRun()) return write();
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      if (performance.now() + pauseMs > until) throw new TransactionOpenError(Math.round(until - begun));
      await sleep(pauseMs * (0.5 + Math.random() / 2));
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

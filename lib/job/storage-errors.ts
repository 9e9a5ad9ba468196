import { branded } from './copies.js';
import { describeError } from './describe-error.js';
import { JobsError, type WithCause } from './errors.js';

/** This package does not work on the database, or not with this option. Thrown at start-up. */
@branded('UnsupportedDatabaseError')
export class UnsupportedDatabaseError extends JobsError {}

/**
 * The database has not answered in time; the connection may be half open. Whether the statement was carried out is not
 * known. An enqueue may be repeated under the same id: it is a `DuplicateJobError` if the first one was carried out.
 */
@branded('DatabaseTimeoutError')
export class DatabaseTimeoutError extends JobsError {
  constructor(readonly timeoutMs: number) {
    super(
      `The database has not answered within ${timeoutMs} ms; whether the statement was carried out is not known.`,
    );
  }
}

/**
 * The database of a module with `databaseAtStart: 'optional'` has not been opened since the application started. Nothing was
 * sent, so the call may be repeated. `cause` is why the last try failed; undefined while the first one is under way.
 */
@branded('DatabaseNotReadyError')
export class DatabaseNotReadyError extends JobsError {
  constructor(
    /** The `name` of the JobsModule; `'default'` for the one without. */
    readonly module: string,
    cause?: unknown,
  ) {
    const reason = cause === undefined ? '' : ` (${describeError(cause).split('\n', 1)[0]!})`;
    super(
      `The database of JobsModule "${module}" has not been opened yet${reason}, and nothing was sent. The module tries ` +
        'until it can be opened, and its worker starts then. Repeat the call later, and to the same module: in another one ' +
        'a job with the same id may exist as well.',
      cause === undefined ? undefined : { cause },
    );
  }
}

/** No connection was free in time. Nothing was sent, so the call may be repeated. */
@branded('ConnectionTimeoutError')
export class ConnectionTimeoutError extends JobsError {
  constructor(
    readonly timeoutMs: number,
    poolSize: number,
  ) {
    super(
      `No connection to the database was free within ${timeoutMs} ms, and nothing was sent. Either all ${poolSize} of the ` +
        'pool are in use, or no new one can be opened. Within a transaction, pass its manager to enqueue(), so that no ' +
        'second connection is needed; or raise the poolSize of the DataSource.',
    );
  }
}

/** SQLite: nothing was written, because another transaction was open all the while. */
@branded('TransactionOpenError')
export class TransactionOpenError extends JobsError {
  constructor(readonly timeoutMs: number) {
    super(
      `Nothing was written within ${timeoutMs} ms, because another transaction was open on the SQLite database all the while. ` +
        'Within a transaction of your own, pass its manager to enqueue().',
    );
  }
}

/** The jobs table is missing, is of another release, belongs to something else, or cannot be made. Thrown at start-up. */
@branded('SchemaVersionError')
export class SchemaVersionError extends JobsError {
  constructor(
    readonly table: string,
    /** The version found; 0 where there is no table. */
    readonly found: number,
    readonly wanted: number,
    problem: string,
    options?: WithCause,
  ) {
    super(problem, options);
  }
}

/**
 * An enqueue was to join a transaction of another DataSource than that of the jobs. Nothing was written: one of the two
 * could commit what the other rolls back.
 */
@branded('ForeignTransactionError')
export class ForeignTransactionError extends JobsError {
  constructor(whose: string) {
    super(
      `${whose} belongs to another DataSource than the jobs; a transaction cannot span both. Set the option ` +
        `"dataSource" of JobsModule, or enqueue outside of the transaction with { outside: true }.`,
    );
  }
}

/**
 * The database undid the transaction of a transactional handler, or could not begin it, for a reason that is not the
 * handler's: a deadlock, a serialization failure, a lost connection. That is its `cause`. Nothing was written.
 */
@branded('TransactionUndoneError')
export class TransactionUndoneError extends JobsError {
  constructor(
    /** Whether the handler was called. */
    readonly begun: boolean,
    cause: unknown,
  ) {
    super('The database undid the transaction of the handler, or could not begin it.', { cause });
  }
}

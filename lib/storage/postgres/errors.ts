import { driverErrorOf, isOwnError, type DatabaseErrors } from '../sql/database-errors.js';

/** The fields of `pg.DatabaseError` that are used. */
interface PostgresError {
  readonly code?: string;
  /** In the language of the server. An error of the driver or of the network has none. */
  readonly severity?: string;
  readonly constraint?: string;
  readonly detail?: string;
}

/**
 * SQLSTATE classes and codes of a connection that ends, or of a server in trouble: what was sent may have been carried out.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const CONNECTION_ENDS = ['08', '28', '57P', '58', 'XX', '25P03', '25P04', '3D000', '53300'];

/** Those that are about the content of a statement. 42501 is also what a policy for rows says. */
const ABOUT_CONTENT = ['22', '23', '38', '39', '44', '54', 'P0', '42501'];

/** Accounts and passwords, databases and schemas that are not there, what the server has not, rights, and content. */
const NEEDS_MENDING = ['28', '3D', '3F', '0A', '42', '22', '23'];

/** What PostgreSQL says, by its SQLSTATE codes. */
export const postgresErrors: DatabaseErrors = {
  wasRefused(error: unknown): boolean {
    const code = sqlState(error);
    return code !== undefined && !startsWithAny(code, CONNECTION_ENDS);
  },

  refusesContent(error: unknown): boolean {
    const code = sqlState(error);
    return code === undefined ? isOwnError(error) : startsWithAny(code, ABOUT_CONTENT);
  },

  wantsRetry(error: unknown): boolean {
    const code = sqlState(error);
    return code === '40001' || code === '40P01'; // serialization_failure, deadlock_detected
  },

  isWrongServer(error: unknown): boolean {
    return sqlState(error) === '25006'; // read_only_sql_transaction
  },

  needsMending(error: unknown): boolean {
    const code = sqlState(error);
    return code !== undefined && startsWithAny(code, NEEDS_MENDING);
  },
};

/** The id that an insert into this table met twice, as the server tells it; null for another error. */
export function duplicateIdIn(error: unknown, tableName: string): string | null {
  const { constraint, detail } = read(error);
  const isOurs = sqlState(error) === '23505' && constraint === `${tableName}_pkey`; // unique_violation
  return isOurs ? (/\(id\)=\((.*)\)/s.exec(detail ?? '')?.[1] ?? '') : null;
}

/** Undefined where it was not the server that spoke. A code of the network, such as EPIPE, may look like one. */
function sqlState(error: unknown): string | undefined {
  const { code, severity } = read(error);
  return severity === undefined ? undefined : code;
}

function startsWithAny(code: string, starts: readonly string[]): boolean {
  return starts.some((start) => code.startsWith(start));
}

function read(error: unknown): PostgresError {
  return driverErrorOf(error);
}

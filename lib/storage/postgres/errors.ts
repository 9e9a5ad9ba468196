import { driverErrorOf, type DatabaseErrors } from '../sql/database-errors.js';

/** The fields of `pg.DatabaseError` that are used. */
interface PostgresError {
  readonly code?: string;
  readonly severity?: string;
  readonly constraint?: string;
  readonly detail?: string;
}

/** What PostgreSQL says, by its SQLSTATE codes. */
export const postgresErrors: DatabaseErrors = {
  wasRefused(error: unknown): boolean {
    return read(error).severity === 'ERROR'; // FATAL and PANIC end the connection; the driver's own errors have none
  },

  wantsRetry(error: unknown): boolean {
    const { code } = read(error);
    return code === '40001' || code === '40P01'; // serialization_failure, deadlock_detected
  },

  isReadOnly(error: unknown): boolean {
    return read(error).code === '25006'; // read_only_sql_transaction
  },
};

/** The id that an insert into this table met twice; null for another error. */
export function duplicateIdIn(error: unknown, tableName: string): string | null {
  const { code, constraint, detail } = read(error);
  const isOurs = code === '23505' && constraint === `${tableName}_pkey`; // unique_violation
  return isOurs ? (/\(id\)=\((.*)\)/s.exec(detail ?? '')?.[1] ?? '') : null;
}

function read(error: unknown): PostgresError {
  return driverErrorOf(error);
}

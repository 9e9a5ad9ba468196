import type { DatabaseErrors } from '../sql/dialect.js';
import { driverErrorOf } from '../sql/row.js';

/** What PostgreSQL says, by its SQLSTATE codes. */
export const postgresErrors = (table: string): DatabaseErrors => ({
  wasRefused(error: unknown): boolean {
    return driverErrorOf(error).severity === 'ERROR'; // FATAL and PANIC end the connection; the driver's own have none
  },

  wantsRetry(error: unknown): boolean {
    const { code } = driverErrorOf(error);
    return code === '40001' || code === '40P01'; // serialization_failure, deadlock_detected
  },

  isReadOnly(error: unknown): boolean {
    return driverErrorOf(error).code === '25006'; // read_only_sql_transaction
  },

  duplicateId(error: unknown): string | null {
    const { code, constraint, detail } = driverErrorOf(error);
    const isOurs = code === '23505' && constraint === `${table}_pkey`; // unique_violation
    return isOurs ? (/\(id\)=\((.*)\)/s.exec(detail ?? '')?.[1] ?? '') : null;
  },
});

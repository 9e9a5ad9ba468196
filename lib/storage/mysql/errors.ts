import { driverErrorOf, type DatabaseErrors } from '../sql/database-errors.js';

/** The fields of mysql2's errors that are used. */
interface MysqlError {
  readonly code?: string;
  readonly sqlMessage?: string;
  readonly fatal?: boolean;
}

/** What MySQL and MariaDB say, as mysql2 tells it. */
export const mysqlErrors: DatabaseErrors = {
  wasRefused(error: unknown): boolean {
    const { sqlMessage, fatal } = read(error);
    return sqlMessage !== undefined && fatal !== true;
  },

  wantsRetry(error: unknown): boolean {
    const { code } = read(error);
    return code === 'ER_LOCK_DEADLOCK' || code === 'ER_LOCK_WAIT_TIMEOUT';
  },

  isReadOnly(error: unknown): boolean {
    const { code } = read(error);
    return code === 'ER_OPTION_PREVENTS_STATEMENT' || code === 'ER_READ_ONLY_MODE'; // --read-only
  },
};

/** The id that an insert met twice, as the message tells it: a long one is cut. Null for another error. */
export function duplicateIdIn(error: unknown): string | null {
  const { code, sqlMessage } = read(error);
  if (code !== 'ER_DUP_ENTRY') return null;
  return /^Duplicate entry '(.*)' for key/s.exec(sqlMessage ?? '')?.[1] ?? '';
}

function read(error: unknown): MysqlError {
  return driverErrorOf(error);
}

import type { DatabaseErrors } from '../sql/dialect.js';
import { driverErrorOf } from '../sql/row.js';

/** What MySQL and MariaDB say, as mysql2 tells it. */
export const mysqlErrors: DatabaseErrors = {
  wasRefused(error: unknown): boolean {
    const { sqlMessage, fatal } = driverErrorOf(error);
    return sqlMessage !== undefined && fatal !== true;
  },

  wantsRetry(error: unknown): boolean {
    const { code } = driverErrorOf(error);
    return code === 'ER_LOCK_DEADLOCK' || code === 'ER_LOCK_WAIT_TIMEOUT';
  },

  isReadOnly(error: unknown): boolean {
    const { code } = driverErrorOf(error);
    return code === 'ER_OPTION_PREVENTS_STATEMENT' || code === 'ER_READ_ONLY_MODE'; // --read-only
  },

  duplicateId(error: unknown): string | null {
    const { code, sqlMessage } = driverErrorOf(error);
    if (code !== 'ER_DUP_ENTRY') return null;
    return /^Duplicate entry '(.*)' for key/s.exec(sqlMessage ?? '')?.[1] ?? '';
  },
};

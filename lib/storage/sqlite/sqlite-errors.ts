import type { DatabaseErrors } from '../sql/dialect.js';
import { driverErrorOf } from '../sql/row.js';

/** What SQLite says, as better-sqlite3 tells it. */
export const sqliteErrors: DatabaseErrors = {
  /** There is no line that an answer could be lost on. */
  wasRefused(error: unknown): boolean {
    return driverErrorOf(error).code?.startsWith('SQLITE_') === true;
  },

  wantsRetry: isBusy,

  isReadOnly(error: unknown): boolean {
    return driverErrorOf(error).code?.startsWith('SQLITE_READONLY') === true;
  },

  /** `SqliteDialect.insert` has looked for it. */
  duplicateId(error: unknown): string | null {
    const { code, detail = '' } = driverErrorOf(error);
    return code === 'SQLITE_CONSTRAINT_PRIMARYKEY' ? detail : null;
  },
};

/** Another connection is writing just now. */
export function isBusy(error: unknown): boolean {
  return driverErrorOf(error).code?.startsWith('SQLITE_BUSY') === true;
}

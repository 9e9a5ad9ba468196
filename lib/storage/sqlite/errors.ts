import { driverErrorOf, isOwnError, type DatabaseErrors } from '../sql/database-errors.js';

/** What SQLite says, as better-sqlite3 tells it. */
export const sqliteErrors: DatabaseErrors = {
  /** There is no connection that an answer could be lost on. */
  wasRefused(error: unknown): boolean {
    return codeOf(error).startsWith('SQLITE_');
  },

  refusesContent(error: unknown): boolean {
    return isOwnError(error) || /^SQLITE_(?:CONSTRAINT|MISMATCH|RANGE|TOOBIG)/.test(codeOf(error));
  },

  wantsRetry: isBusy,

  isWrongServer(error: unknown): boolean {
    return codeOf(error).startsWith('SQLITE_READONLY');
  },

  /** Another kind of file, or encrypted by another key; a statement that names what is not there. */
  needsMending(error: unknown): boolean {
    return /^SQLITE_(?:NOTADB|AUTH|ERROR)/.test(codeOf(error)) || sqliteErrors.refusesContent(error);
  },
};

/** Another connection is writing just now. */
export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY');
}

/** An insert met an id twice. SQLite tells the column and not the value. */
export function isDuplicateId(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}

function codeOf(error: unknown): string {
  const { code } = driverErrorOf(error) as { code?: string };
  return code ?? '';
}

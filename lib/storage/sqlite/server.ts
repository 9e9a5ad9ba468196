import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
import type { Sql } from '../sql/sql.js';

/** `unixepoch` with fractions came with 3.42, `unhex` with 3.41. */
const OLDEST = [3, 42] as const;

/** Looks at the version of the library. @throws UnsupportedDatabaseError */
export async function examineLibrary(sql: Sql): Promise<void> {
  const version = String((await sql.query(LIBRARY_VERSION))[0]!.version);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new UnsupportedDatabaseError(`Jobs need SQLite 3.42 or later; this is ${version}.`);
}

const LIBRARY_VERSION = `SELECT sqlite_version() AS version`;

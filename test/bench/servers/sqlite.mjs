import { join } from 'node:path';
import { dataDirectory } from './process.mjs';

/** A file for a database. Null if the driver is not there. */
export async function startSqlite() {
  try {
    const { default: Database } = await import('better-sqlite3');
    new Database(':memory:').close();
  } catch {
    return null;
  }
  const data = await dataDirectory('sqlite');
  return { url: join(data.path, 'jobs.db'), pid: undefined, stop: () => data.remove() };
}

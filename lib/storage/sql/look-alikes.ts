import { UnsupportedDatabaseError } from '../../job/storage-errors.js';

/** A server that speaks the protocol of another and is not that one. */
export interface LookAlike {
  readonly name: string;
  /** In what the server says of its version. */
  readonly pattern: RegExp;
  /** What it lacks: `its SKIP LOCKED takes no locks, so jobs would run several times`. */
  readonly lack: string;
}

/** @throws UnsupportedDatabaseError naming the server, what it lacks and what to do */
export function refuseLookAlikes(lookAlikes: readonly LookAlike[], version: string): void {
  const found = lookAlikes.find(({ pattern }) => pattern.test(version));
  if (found === undefined) return;
  throw new UnsupportedDatabaseError(
    `Jobs cannot be kept in ${found.name} (${version}): ${found.lack}. Give JobsModule a DataSource of PostgreSQL, MySQL, ` +
      'MariaDB or SQLite, by its option "dataSource".',
  );
}

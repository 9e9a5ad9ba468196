import { randomUUID } from 'node:crypto';
import { DatabaseTimeoutError, UnsupportedDatabaseError } from '../../job/storage-errors.js';
import type { Connections } from '../sql/connections.js';
import type { LockTest } from '../sql/dialect.js';

/** Long enough for an answer; a claim that waits for a lock would wait for as long as a transaction lasts. */
const ANSWER_MS = 1_000;

/**
 * Locks a row over one connection, and tries to lock it over another, as two claims at the same moment do. Some servers
 * accept SKIP LOCKED and take no locks, and others wait for them.
 *
 * @throws UnsupportedDatabaseError
 */
export async function requireLocks(connections: Connections, test: LockTest): Promise<void> {
  const id = `self-test-${randomUUID()}`;
  await connections.run((sql) => test.insert(sql, id));
  try {
    const other = () =>
      connections.run((sql) => test.canLock(sql, id), { isUrgent: true, answerMs: ANSWER_MS });
    const canLock = await connections.run((sql) => test.whileLocked(sql, id, other));
    if (canLock) refuse(test, 'two connections have locked the same row, so jobs would run several times');
  } catch (error) {
    if (error instanceof DatabaseTimeoutError && error.timeoutMs === ANSWER_MS)
      refuse(test, 'it waits for a row that another connection has locked, so workers would stop each other');
    throw error;
  } finally {
    await connections.run((sql) => test.delete(sql, id));
  }
}

function refuse({ server }: LockTest, lack: string): never {
  throw new UnsupportedDatabaseError(
    `Jobs cannot be kept in this server (${server}), whose SKIP LOCKED does not work: ${lack}. Give JobsModule a DataSource ` +
      'of PostgreSQL, MySQL, MariaDB or SQLite, by its option "dataSource".',
  );
}

import { InvalidOptionError } from '../../job/errors.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import { requireLocks } from './require-locks.js';
import { SchemaMigrator } from './schema-migrator.js';

export interface OpenTableSettings {
  readonly migrate: 'auto' | 'manual';
  readonly maxPayloadBytes: number;
  readonly events: JobsEvents;
}

/**
 * Looks at the server and its table, and makes the table if `migrate` is `'auto'`. A server that is not known has to show that
 * its locks work.
 *
 * @param signal breaks it off
 * @returns the dialect for what it has found
 * @throws UnsupportedDatabaseError, SchemaVersionError, InvalidOptionError
 */
export async function openTable(
  connections: Connections,
  usual: Dialect,
  { migrate, maxPayloadBytes, events }: OpenTableSettings,
  signal?: AbortSignal,
): Promise<Dialect> {
  const dialect = await connections.run((sql) => usual.examine(sql), { signal });
  requireRoom(dialect, maxPayloadBytes);
  await new SchemaMigrator(connections, dialect, events).run(migrate, signal);
  if (dialect.lockTest !== null) await requireLocks(connections, dialect.lockTest);
  return dialect;
}

/** A payload and what is carried with it are sent in one statement, in which a character may take twice its bytes. */
function requireRoom({ maxStatementBytes }: Dialect, maxPayloadBytes: number): void {
  const most = Math.floor(maxStatementBytes / 4);
  if (maxPayloadBytes <= most) return;
  const allowed = `at most ${most}, a quarter of what the server takes in one statement (max_allowed_packet)`;
  throw new InvalidOptionError('maxPayloadBytes', maxPayloadBytes, allowed);
}

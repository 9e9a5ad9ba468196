import { DataSource, type DataSourceOptions } from 'typeorm';
import { sharedByCopies } from '../../job/copies.js';
import { answered } from '../sql/break-off.js';
import { reserveOptions } from '../sql/pool-connections.js';

/** Several modules on one DataSource initialize it together: TypeORM would open a pool for each. */
const pending = sharedByCopies('initializations', () => new WeakMap<DataSource, Promise<unknown>>());

/**
 * Connects to the database of a DataSource, beside it, and disconnects again. `DataSource.initialize` would wait without end
 * for a server that accepts connections and says nothing, and could not be called again.
 *
 * @throws what the driver says; DatabaseTimeoutError if the server says nothing for `answerMs`
 */
export async function reach({ options }: DataSource, answerMs: number): Promise<void> {
  if (options.type === 'better-sqlite3') return; // there is no server
  const probe = new DataSource(probeOptions(options, answerMs));
  const connecting = probe.initialize();
  const over = connecting.then(
    () => probe.destroy(),
    () => discard(probe),
  );
  over.catch(() => undefined);
  await answered(connecting, answerMs);
  await answered(over, answerMs);
}

/** Initializes a DataSource, if nothing else has. A try that fails leaves no connections behind. */
export function initialize(dataSource: DataSource): Promise<unknown> {
  if (dataSource.isInitialized) return Promise.resolve();
  const underWay = pending.get(dataSource);
  if (underWay !== undefined) return underWay;
  const initializing = initializeOnce(dataSource).finally(() => pending.delete(dataSource));
  pending.set(dataSource, initializing);
  return initializing;
}

async function initializeOnce(dataSource: DataSource): Promise<void> {
  try {
    await dataSource.initialize();
  } catch (error) {
    if (!dataSource.isInitialized) discard(dataSource);
    throw error;
  }
}

/** TypeORM leaves open what it has opened before it failed. A connection that does not answer may not close either. */
function discard({ driver }: DataSource): void {
  driver.disconnect().catch(() => undefined);
}

/** Without a time limit of its own, each try would leave a socket to a server that says nothing. */
function probeOptions(options: DataSourceOptions, answerMs: number): DataSourceOptions {
  const probe = { ...reserveOptions(options), logging: false };
  if (probe.type === 'postgres') return { ...probe, connectTimeoutMS: probe.connectTimeoutMS ?? answerMs };
  if (probe.type === 'mysql' || probe.type === 'mariadb')
    return { ...probe, connectTimeout: probe.connectTimeout ?? answerMs };
  return probe;
}

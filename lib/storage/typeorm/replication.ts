import type { DataSource } from 'typeorm';
import type { JobsEvents } from '../../events/jobs-events.js';
import { driverErrorOf } from '../sql/database-errors.js';

const TELL_AGAIN_AFTER_MS = 60_000;

/**
 * Watches a DataSource with `replication` on MySQL or MariaDB. TypeORM hands that to mysql2's PoolCluster, which removes a
 * server for good after a few failed connections, unless `restoreNodeTimeout` is set. The application is dead then, while
 * its process goes on.
 *
 * @see https://sidorares.github.io/node-mysql2/docs/documentation/pool-cluster
 */
export class Replication {
  private toldAt = -Infinity;

  constructor(
    private readonly dataSource: DataSource,
    private readonly events: JobsEvents,
  ) {}

  /** Warns where a server would never come back. */
  check(): void {
    const { type, replication } = this.dataSource.options as {
      type: string;
      replication?: { restoreNodeTimeout?: number };
    };
    if ((type !== 'mysql' && type !== 'mariadb') || replication === undefined) return;
    if (!(Number(replication.restoreNodeTimeout) > 0)) this.events.emit('replicationUnrestored', {});
  }

  /** A statement has failed: says so, once a minute, if it was because the server was given up. */
  failed(error: unknown): void {
    const { code } = driverErrorOf(error) as { code?: unknown };
    const now = performance.now();
    if (code !== 'POOL_NOEXIST' || now - this.toldAt < TELL_AGAIN_AFTER_MS) return;
    this.toldAt = now;
    this.events.emit('replicationGivenUp', { error });
  }
}

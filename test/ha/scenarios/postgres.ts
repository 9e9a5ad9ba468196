import { until } from '../../support/until.js';
import { group, type Scenario } from '../scenario.js';
import { PostgresServer } from '../servers/postgres.js';
import { LOAD_BALANCING, ONE_BACKEND } from './pgpool.js';
import { SILENT_PRIMARY, SYNCHRONOUS_FAILOVER } from './synchronous-failover.js';
import { POSTGRES_REPLICATION } from './typeorm-replication.js';

/** A primary, a synchronous standby that may take its place, and an asynchronous one that is two seconds behind. */
export class PostgresCluster {
  private constructor(
    readonly folder: string,
    readonly primary: PostgresServer,
    readonly candidate: PostgresServer,
    readonly laggard: PostgresServer,
  ) {}

  static async start(folder: string): Promise<PostgresCluster> {
    const primary = await PostgresServer.primary(folder);
    const [candidate, laggard] = await Promise.all([
      primary.standby('candidate'),
      primary.standby('laggard', { recovery_min_apply_delay: '2s', log_statement: 'all' }),
    ]);
    await primary.synchronize('FIRST 1 (candidate)');
    return new PostgresCluster(folder, primary, candidate, laggard);
  }

  /** Makes a database of the scenario's own, and waits until the standby that is behind has it, too. */
  async create(database: string): Promise<void> {
    await this.primary.query('postgres', `CREATE DATABASE ${database}`);
    const find = `SELECT FROM pg_database WHERE datname = '${database}'`;
    await until(async () => (await this.laggard.query('postgres', find)).length > 0);
  }

  async stop(): Promise<void> {
    await Promise.all([this.primary, this.candidate, this.laggard].map((server) => server.stop()));
  }
}

/** The last one leaves the cluster without its first primary. */
const SCENARIOS: readonly Scenario<PostgresCluster>[] = [
  ONE_BACKEND,
  LOAD_BALANCING,
  POSTGRES_REPLICATION,
  SYNCHRONOUS_FAILOVER,
];

export const POSTGRES = group({
  name: 'PostgreSQL, a synchronous standby and one that is 2 s behind',
  start: (folder) => PostgresCluster.start(folder),
  scenarios: SCENARIOS,
});

/** It has a cluster of its own, because it leaves that without its primary as well. */
export const POSTGRES_SILENT = group({
  name: 'PostgreSQL, once more',
  start: (folder) => PostgresCluster.start(folder),
  scenarios: [SILENT_PRIMARY],
});

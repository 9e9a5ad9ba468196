import { group, type Scenario } from '../scenario.js';
import { PostgresServer } from '../servers/postgres.js';
import { SYNCHRONOUS_FAILOVER } from './synchronous-failover.js';

/** A primary, a synchronous standby that may take its place, and an asynchronous one that is two seconds behind. */
export class PostgresCluster {
  private constructor(
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
    return new PostgresCluster(primary, candidate, laggard);
  }

  /** A database of the scenario's own. Copies of it are where the standbys are. */
  async create(database: string): Promise<void> {
    await this.primary.query('postgres', `CREATE DATABASE ${database}`);
  }

  async stop(): Promise<void> {
    await Promise.all([this.primary, this.candidate, this.laggard].map((server) => server.stop()));
  }
}

/** The last one leaves the cluster without its first primary. */
const SCENARIOS: readonly Scenario<PostgresCluster>[] = [SYNCHRONOUS_FAILOVER];

export const POSTGRES = group({
  name: 'PostgreSQL, a synchronous standby and one that is 2 s behind',
  start: (folder) => PostgresCluster.start(folder),
  scenarios: SCENARIOS,
});

import { group } from '../scenario.js';
import { installMariadb, MariadbServer } from '../servers/mariadb.js';
import { MARIADB_REPLICATION } from './mariadb-replication.js';

/** A master, and a replica that is two seconds behind. */
export class MariadbCluster {
  private constructor(
    readonly master: MariadbServer,
    readonly replica: MariadbServer,
  ) {}

  static async start(folder: string): Promise<MariadbCluster> {
    const template = await installMariadb(folder);
    const prepare = (name: string, id: number) =>
      MariadbServer.prepare(folder, name, template, [
        `--server-id=${id}`,
        ...['--log-bin=binlog', '--binlog-format=ROW', '--sync-binlog=1'],
        '--slave-net-timeout=5',
      ]);
    const cluster = new MariadbCluster(await prepare('master', 1), await prepare('replica', 2));
    await Promise.all([cluster.master.start(), cluster.replica.start()]);
    await cluster.follow();
    return cluster;
  }

  async stop(): Promise<void> {
    await Promise.all([this.master.stop(), this.replica.stop()]);
  }

  private async follow(): Promise<void> {
    const { port } = this.master;
    const [status] = await this.master.query('mysql', 'SHOW MASTER STATUS');
    const from = `master_log_file = '${status!.File as string}', master_log_pos = ${status!.Position as number}`;
    const to = `master_host = '127.0.0.1', master_port = ${port}, master_user = 'ha', master_connect_retry = 1`;
    await this.replica.query('mysql', `CHANGE MASTER TO ${to}, ${from}, master_delay = 2`);
    await this.replica.query('mysql', 'START SLAVE');
  }
}

export const MARIADB = group({
  name: 'MariaDB, a master and a replica that is 2 s behind',
  start: (folder) => MariadbCluster.start(folder),
  scenarios: [MARIADB_REPLICATION],
});

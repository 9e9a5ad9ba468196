import { mkdirSync, writeFileSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../support/free-port.js';
import { OWNER, ServerProcess } from './server-process.js';

/** Debian's pgpool-II before servers of the suite, in the mode for streaming replication; the first server is the primary. */
export class Pgpool {
  private readonly process: ServerProcess;

  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {
    this.process = new ServerProcess('pgpool', folder, join(folder, 'pgpool.server.log'), 'SIGINT');
  }

  /**
   * @param folder where a folder of its own is made
   * @param ports of the servers
   * @param settings further lines of its configuration
   */
  static async start(
    folder: string,
    name: string,
    ports: readonly number[],
    database: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Pgpool> {
    const own = join(folder, name);
    mkdirSync(own);
    if (OWNER.uid !== undefined) chownSync(own, OWNER.uid, OWNER.gid);
    const pool = new Pgpool(own, await freePort());
    await pool.configure(ports, settings);
    const answers = async () => {
      const client = new pg.Client({ host: '127.0.0.1', port: pool.port, user: 'ha', database });
      client.on('error', () => undefined);
      await client.connect();
      await client.query('SELECT');
      await client.end();
    };
    const file = (of: string) => join(own, of);
    const files = ['-f', file('pgpool.conf'), '-F', file('pcp.conf'), '-a', file('pool_hba.conf')];
    await pool.process.start('/usr/sbin/pgpool', ['-n', '-D', ...files], answers);
    return pool;
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  private async configure(
    ports: readonly number[],
    settings: Readonly<Record<string, string>>,
  ): Promise<void> {
    const all: Record<string, string> = {
      backend_clustering_mode: 'streaming_replication',
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      socket_dir: this.folder,
      pcp_listen_addresses: '127.0.0.1',
      pcp_port: String(await freePort()),
      pcp_socket_dir: this.folder,
      pid_file_name: join(this.folder, 'pgpool.pid'),
      logdir: this.folder,
      num_init_children: '60',
      max_pool: '1',
      load_balance_mode: 'on',
      sr_check_user: 'ha',
      sr_check_period: '5',
      health_check_period: '0',
      failover_on_backend_error: 'off',
      pool_passwd: '',
      ...settings,
    };
    ports.forEach((port, index) => {
      all[`backend_hostname${index}`] = '127.0.0.1';
      all[`backend_port${index}`] = String(port);
      all[`backend_weight${index}`] = '1';
      all[`backend_flag${index}`] = 'DISALLOW_TO_FAILOVER';
    });
    const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(this.folder, 'pgpool.conf'), lines.join(''));
    for (const name of ['pcp.conf', 'pool_hba.conf']) writeFileSync(join(this.folder, name), '');
  }
}

import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import type { DataSourceOptions } from 'typeorm';
import { freePort } from '../../support/free-port.js';
import { OWNER, run, ServerProcess } from './server-process.js';

const USER = 'ha';
/** The installation reads one statement from each line, and has no users yet. */
const USERS = `FLUSH PRIVILEGES;
CREATE USER '${USER}'@'%';
GRANT ALL ON *.* TO '${USER}'@'%';
`;

/** The data of a new server. Servers of a cluster begin with copies of it, which is quicker than to install each. */
export async function installMariadb(folder: string): Promise<string> {
  const template = join(folder, 'template');
  const users = join(folder, 'users.sql');
  writeFileSync(users, USERS);
  const how = ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db'];
  await run('mariadb-install-db', [...how, `--datadir=${template}`, `--extra-file=${users}`], {
    cwd: folder,
    ...OWNER,
  });
  return template;
}

/** A MariaDB of the suite. It is as durable as in production. */
export class MariadbServer {
  private readonly process: ServerProcess;

  private constructor(
    readonly name: string,
    private readonly folder: string,
    readonly port: number,
    private readonly settings: readonly string[],
  ) {
    this.process = new ServerProcess(name, folder, join(folder, 'server.log'), 'SIGTERM');
  }

  /**
   * Prepares a server, and does not start it.
   *
   * @param folder where a folder of its own is made, which belongs to the owner of the servers
   * @param settings further arguments of the server
   */
  static async prepare(
    folder: string,
    name: string,
    template: string,
    settings: readonly string[],
  ): Promise<MariadbServer> {
    const own = join(folder, name);
    mkdirSync(own);
    await run('cp', ['-a', template, join(own, 'data')]);
    if (OWNER.uid !== undefined) chownSync(own, OWNER.uid, OWNER.gid);
    return new MariadbServer(name, own, await freePort(), settings);
  }

  /** @param more arguments of this start alone */
  start(...more: string[]): Promise<void> {
    const binary = existsSync('/usr/sbin/mariadbd') ? '/usr/sbin/mariadbd' : 'mariadbd';
    const where = [
      `--datadir=${this.data}`,
      `--socket=${join(this.folder, 'socket')}`,
      `--port=${this.port}`,
    ];
    const how = [
      ...['--bind-address=127.0.0.1', '--skip-name-resolve', '--default-time-zone=+00:00'],
      ...['--max-connections=200', '--innodb-buffer-pool-size=64M', '--innodb-flush-log-at-trx-commit=1'],
      ...['--pid-file=' + join(this.folder, 'pid')],
    ];
    return this.process.start(binary, ['--no-defaults', ...where, ...how, ...this.settings, ...more], () =>
      this.query('mysql', 'SELECT 1'),
    );
  }

  kill(): Promise<void> {
    return this.process.kill();
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  /** Runs one statement on a connection of its own. */
  async query(database: string, text: string): Promise<Record<string, unknown>[]> {
    const connection = await this.connect(database);
    try {
      const [rows] = await connection.query(text);
      return rows as Record<string, unknown>[];
    } finally {
      connection.destroy();
    }
  }

  connect(database: string): Promise<Connection> {
    const { port } = this;
    return createConnection({ host: '127.0.0.1', port, user: USER, database, connectTimeout: 5_000 });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }
}

/** @param port of a server, or of what stands before it */
export function mariadbAt(port: number, database: string, poolSize = 10): DataSourceOptions {
  return {
    type: 'mariadb',
    host: '127.0.0.1',
    port,
    username: USER,
    database,
    poolSize,
    timezone: 'Z',
    connectTimeout: 5_000,
  };
}

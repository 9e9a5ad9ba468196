import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { freePort } from '../../support/free-port.js';
import { OWNER, run, ServerProcess } from './server-process.js';

const USER = 'ha';

/** A PostgreSQL of the suite: a primary, or a standby that was cloned from one. It is as durable as in production. */
export class PostgresServer {
  private readonly process: ServerProcess;

  private constructor(
    private readonly name: string,
    private readonly folder: string,
    readonly port: number,
    private readonly settings: Readonly<Record<string, string>>,
  ) {
    this.process = new ServerProcess(name, folder, join(folder, `${name}.server.log`), 'SIGQUIT');
  }

  /** @param folder where its data and its log go; it must belong to the owner of the servers */
  static async primary(folder: string): Promise<PostgresServer> {
    const server = new PostgresServer('primary', folder, await freePort(), {});
    const args = ['-D', server.data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(binary('initdb'), args, { cwd: folder, ...OWNER });
    await server.start();
    return server;
  }

  /** A streaming standby of this server. Its name is its `application_name` on the primary. */
  async standby(name: string, settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const standby = new PostgresServer(name, this.folder, await freePort(), {
      cluster_name: name,
      wal_retrieve_retry_interval: '200ms',
      ...settings,
    });
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', USER];
    const how = ['-D', standby.data, '-R', '-X', 'stream', '--checkpoint=fast', '--no-sync'];
    await run(binary('pg_basebackup'), [...from, ...how], { cwd: this.folder, ...OWNER });
    await standby.start();
    return standby;
  }

  /** Commits wait for the standbys that this names, as in `FIRST 1 (a)`. */
  async synchronize(names: string): Promise<void> {
    await this.query('postgres', `ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await this.query('postgres', 'SELECT pg_reload_conf()');
  }

  start(): Promise<void> {
    const settings = { max_connections: '150', log_checkpoints: 'off', ...this.settings };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const where = ['-D', this.data, '-p', String(this.port), '-k', this.folder, '-h', '127.0.0.1'];
    return this.process.start(binary('postgres'), [...where, ...options], () =>
      this.query('postgres', 'SELECT'),
    );
  }

  kill(): Promise<void> {
    return this.process.kill();
  }

  freeze(): void {
    this.process.freeze();
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  get log(): string {
    return this.process.log;
  }

  /** Runs one statement on a connection of its own. */
  async query<T = Record<string, unknown>>(database: string, text: string): Promise<T[]> {
    const client = await this.connect(database);
    try {
      return (await client.query(text)).rows as T[];
    } finally {
      await client.end();
    }
  }

  async connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ ...this.address(database), connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  address(database: string): { host: string; port: number; user: string; database: string } {
    return addressAt(this.port, database);
  }

  private get data(): string {
    return join(this.folder, this.name);
  }
}

/** @param port of a server, or of what stands before it */
export function postgresAt(port: number, database: string, poolSize = 10): DataSourceOptions {
  const { host, user } = addressAt(port, database);
  const extra = { connectionTimeoutMillis: 5_000, keepAlive: true };
  return { type: 'postgres', host, port, username: user, database, poolSize, extra };
}

function addressAt(port: number, database: string) {
  return { host: '127.0.0.1', port, user: USER, database };
}

/** A program of Debian's newest PostgreSQL: the embedded one has no pg_basebackup. */
function binary(name: string): string {
  const home = '/usr/lib/postgresql';
  const versions = existsSync(home) ? readdirSync(home).toSorted((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(home, version, 'bin', name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`No ${name}: install the Debian package postgresql.`);
  return found;
}

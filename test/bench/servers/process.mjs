import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** The owner of a server's process. Database servers refuse to run as root, so root starts them as the user `user`. */
export async function ownerOf(user) {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => (await run('id', [flag, user])).stdout),
  );
  return { uid: Number(uid), gid: Number(gid) };
}

export async function dataDirectory(name, { uid, gid } = {}) {
  const path = await mkdtemp(join(tmpdir(), `jobs-bench-${name}-`));
  if (uid !== undefined) await chown(path, uid, gid);
  await chmod(path, 0o700);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server. `stop(signal)` resolves when it has exited. */
export function startServer(command, args, options) {
  const server = spawn(command, args, { stdio: 'ignore', ...options });
  const gone = new Promise((resolve) => server.once('exit', resolve).once('error', resolve));
  const endWithUs = () => server.kill('SIGKILL');
  process.once('exit', endWithUs);
  const stop = async (signal) => {
    process.off('exit', endWithUs);
    server.kill(signal);
    await gone;
  };
  return { pid: server.pid, stop };
}

export async function answersWithin(ms, ask) {
  for (const end = performance.now() + ms; ; await sleep(100)) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

export async function exists(command) {
  return run('which', [command]).then(
    () => true,
    () => false,
  );
}

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes sure that no other process of the sample works in the folder: its database is about to be restarted. The claim is
 * a local socket that the process listens on, so it ends with the process, however that ends.
 *
 * @returns a function that gives the folder up
 * @throws Error where another process has the folder
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const path = socketOf(folder);
  let server = await listen(path);
  if (server === undefined) {
    if (await answers(path)) {
      throw new Error(
        `The sample is running already, with its data in ${folder}. Stop that process first, or start another one ` +
          'beside it: SAMPLE_DATA_DIR=other PORT=3001 npm start',
      );
    }
    await rm(path, { force: true }); // a process that was killed has left it
    server = await listen(path);
  }
  return () => new Promise((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
}

function socketOf(folder: string): string {
  const name = `nestjs-typeorm-jobs-sample-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  return platform() === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

/** Undefined where something is in the way. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server.unref()));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

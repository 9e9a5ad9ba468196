import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Servers of the tests listen in this range. It lies below that from which Linux takes the ports of outgoing connections, so
 * none of those can have taken the port by the time its server starts.
 */
const [FIRST, LAST] = [20_000, 29_999];

const given = new Set<number>();

/** A port of this machine that nobody listens on, and that no earlier call has returned. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST + 1);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

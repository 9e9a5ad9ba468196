import { Redis } from 'ioredis';
import { answersWithin, dataDirectory, exists, freePort, startServer } from './process.mjs';

/**
 * The Redis that `BENCH_REDIS_URL` names, or otherwise our own server, which writes its log to disk every second. Null
 * if Redis is not installed.
 */
export async function startRedis() {
  const given = process.env.BENCH_REDIS_URL;
  if (given !== undefined) return { url: given, pid: undefined, stop: async () => {} };
  if (!(await exists('redis-server'))) return null;
  const data = await dataDirectory('redis');
  const port = await freePort();
  const location = ['--port', String(port), '--bind', '127.0.0.1', '--dir', data.path];
  const server = startServer('redis-server', [
    ...location,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
  ]);
  const url = `redis://127.0.0.1:${port}`;
  await answersWithin(30_000, () => infoOf(url));
  const stop = async () => {
    await server.stop('SIGTERM');
    await data.remove();
  };
  return { url, pid: server.pid, stop };
}

export async function infoOf(url) {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await redis.info('server');
  } finally {
    redis.disconnect();
  }
}

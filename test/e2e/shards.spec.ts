import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { DataSourceOptions } from 'typeorm';
import { describeOn, oneOfEach } from '../support/databases.js';
import { Shards } from '../support/shards.js';

const FIXTURE = join(import.meta.dirname, 'fixtures/shards.mjs');

/** On the built package: `npm test` builds it, or else run `npm run build:lib`. */
describeOn(oneOfEach, 'A process on several databases of $name', (server) => {
  const shards = Shards.on({ up: server, down: server, silent: server });

  it('starts though some are down, and ends by itself when its application is closed', async () => {
    await shards.get('down').proxy!.cut();
    shards.get('silent').proxy!.hold();
    const child = start(Object.fromEntries(shards.all.map(({ name, options }) => [name, options])));
    try {
      const [answers] = (await once(child, 'message')) as [Record<string, string>];
      expect(answers).toEqual({
        up: 'written',
        down: 'DatabaseNotReadyError',
        silent: 'DatabaseNotReadyError',
      });
      child.disconnect();
      const [code] = (await once(child, 'exit')) as [number | null];
      expect(code).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

function start(databases: Record<string, DataSourceOptions>): ChildProcess {
  return fork(FIXTURE, {
    execArgv: ['--no-warnings'],
    env: { ...process.env, SHARDS: JSON.stringify(databases), NODE_OPTIONS: '', NO_COLOR: '1' },
  });
}

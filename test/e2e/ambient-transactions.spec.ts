import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { oneOfEach, TestDatabase } from '../support/databases.js';

const FIXTURE = join(import.meta.dirname, 'fixtures/ambient.mjs');

/** The tests themselves are in fixtures/ambient.mjs, on the built package: `npm run build:lib` makes it. */
describe.each(oneOfEach)('Ambient transactions on $name', (server) => {
  it.each(['@nestjs-cls/transactional', 'typeorm-transactional'])(
    'of %s keep what is promised',
    async (library) => {
      const database = await TestDatabase.create(server);
      try {
        const report = await run({ library, database: database.options });
        expect(report).not.toMatch(/^ *not ok/m);
        expect(report.match(/^ {4}ok \d+ - .*(?<!# SKIP)$/gm)?.length).toBeGreaterThan(10);
      } finally {
        await database.drop();
      }
    },
  );
});

/** @returns what the tests report, in TAP */
function run(settings: object): Promise<string> {
  const env = { ...process.env, AMBIENT: JSON.stringify(settings), NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    const args = ['--no-warnings', '--test-reporter=tap', FIXTURE];
    execFile(process.execPath, args, { env, timeout: 25_000 }, (_error, stdout, stderr) =>
      resolve(stdout === '' ? `not ok\n${stderr}` : stdout),
    );
  });
}

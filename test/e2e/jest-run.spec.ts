import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOn, ofType, servers, sqlite, TestDatabase } from '../support/databases.js';

const ROOT = join(import.meta.dirname, '../..');
/** What a run takes that ends, and much more. One that does not end is killed then. */
const LIMIT_MS = 90_000;

interface JestRun {
  /** Null where it was killed. */
  readonly code: number | null;
  readonly output: string;
}

/** Runs the test that does not close its application, in this process of Jest's and not in workers, which Jest ends. */
function runForgetful(settings: object): Promise<JestRun> {
  const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
  const config = {
    rootDir: ROOT,
    roots: ['<rootDir>/test/e2e/fixtures/forgetful'],
    testMatch: ['**/*.forgetful.mjs'],
    moduleFileExtensions: ['mjs', 'js', 'json'],
    transform: {},
    moduleNameMapper: { '^nestjs-typeorm-jobs$': '<rootDir>/dist/index.js' },
  };
  const args = ['--experimental-vm-modules', '--no-warnings', jest, '--runInBand', '--no-cache'];
  const env = { ...process.env, SETTINGS: JSON.stringify(settings), NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env, timeout: LIMIT_MS, killSignal: 'SIGKILL' as const };
    const child = execFile(
      process.execPath,
      [...args, '--config', JSON.stringify(config)],
      options,
      (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    );
  });
}

/** On MariaDB the pool of mysql2 keeps such a run open by itself, with or without this package. */
const ends = [...ofType('postgres', servers), ...sqlite];

describeOn(ends, 'A test run that forgets to close its application on $name', (server) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await TestDatabase.create(server);
  });
  afterAll(() => database.drop());

  it('ends by itself, with nothing to complain of', async () => {
    const { code, output } = await runForgetful({ database: database.options });
    expect(output).toContain('1 passed');
    expect(output).not.toContain('torn down');
    expect(code).toBe(0);
  }, 120_000);
});

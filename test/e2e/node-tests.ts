import { execFile } from 'node:child_process';
import { join } from 'node:path';

/**
 * Runs tests of Node's own runner in a process of its own, on the built package: `npm run build:lib` makes it.
 * @param settings the test finds them in the environment variable SETTINGS
 * @returns what they report, in TAP
 */
export function runNodeTests(fixture: string, settings: object): Promise<string> {
  const file = join(import.meta.dirname, 'fixtures', fixture);
  const env = { ...process.env, SETTINGS: JSON.stringify(settings), NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    const args = ['--no-warnings', '--test-reporter=tap', file];
    execFile(process.execPath, args, { env, timeout: 110_000 }, (_error, stdout, stderr) =>
      resolve(stdout === '' ? `not ok\n${stderr}` : stdout),
    );
  });
}

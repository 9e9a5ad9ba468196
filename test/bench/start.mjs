/* The entry point of `npm run bench`: installs the peers if they are missing, and starts the bench. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const home = fileURLToPath(new URL('.', import.meta.url));
const peers = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
if (!existsSync(`${home}/node_modules`)) run('npm', peers, { cwd: home });
run(process.execPath, [`${home}/run.mjs`, ...process.argv.slice(2)]);

function run(command, args, options) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) process.exit(status ?? 1);
}

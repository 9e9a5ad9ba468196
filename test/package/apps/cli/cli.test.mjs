import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';

/* The command line as a user runs it: by npx, in a folder that has the package. Other applications have tables here, too. */

/** @returns the exit code and what was written */
function run(given, env = {}) {
  const all = ['--no-install', 'nestjs-typeorm-jobs', ...given, '--table-prefix', 'cli_'];
  return new Promise((resolve) => {
    const started = execFile('npx', all, { env: { ...process.env, ...env } }, (error, out, err) => {
      resolve({ code: error?.code ?? 0, out, err });
    });
    started.stdin.end();
  });
}

for (const file of ['data-source.cjs', 'data-source.mjs']) {
  test(`the commands work with ${file}`, async () => {
    const source = ['--data-source', file];
    assert.equal((await run(['list', ...source])).code, 1);
    const made = await run(['migrate', ...source]);
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /cli_jobs is at version \d+ now/);
    const { code, out, err } = await run(['doctor', '--json', ...source]);
    const { findings, isUsable, workers } = JSON.parse(out);
    assert.deepEqual({ isUsable, workers, err }, { isUsable: true, workers: 0, err: '' });
    assert.equal(code, findings.length === 0 ? 0 : 1);
    const ofTables = findings.filter((finding) => /^(index|table|column|side)-/.test(finding.code));
    assert.deepEqual(ofTables, []);
    assert.match((await run(['list', ...source])).out, /There are no jobs/);
  });
}

test('the commands work with DATABASE_URL', async () => {
  const listed = await run(['list', '--json'], { DATABASE_URL: process.env.POSTGRES_URL });
  assert.equal(listed.code, 0, listed.err);
  assert.deepEqual(JSON.parse(listed.out).jobs, []);
});

test('a wrong command line ends with 2, and the help with 0', async () => {
  assert.equal((await run(['lits'])).code, 2);
  const helped = await run(['list', '--help']);
  assert.equal(helped.code, 0);
  assert.match(helped.out, /Usage: nestjs-typeorm-jobs list/);
});

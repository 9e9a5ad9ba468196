import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import pg from 'pg';

/*
 * Packs the package and installs it, as a user would, in new applications outside of this repository: Nest 12 in
 * ES modules, and Nest 11 in CommonJS with the oldest TypeORM line and a module resolution that knows no "exports".
 * Each compiles against the packed types and runs a handler in its own test, and shows itself by the dashboard, telemetry,
 * metrics and health checks on Express and on Fastify. The testing sub-path is tried under Jest in
 * the second, and under Vitest in a third. A fourth loads both builds in one process: its dependency requires the package.
 * Nest 10 runs the oldest drivers that are supported, one application only compiles the types, by several compilers, and one
 * runs the command line.
 */
const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const POSTGRES_URL = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const MARIADB_URL = process.env.TEST_MARIADB_URL ?? 'mysql://root@127.0.0.1:3306/mysql';
const WANTED = [
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...['dist/index.js', 'dist/index.d.ts'],
  ...['dist-cjs/index.js', 'dist-cjs/index.d.ts', 'dist-cjs/package.json'],
  ...['dist/adapters/cls-transactional.js', 'dist-cjs/adapters/typeorm-transactional.d.ts'],
  ...['dist/testing/index.js', 'dist/testing/index.d.ts'],
  ...['dist-cjs/testing/index.js', 'dist-cjs/testing/index.d.ts'],
  ...['dist/dashboard/index.js', 'dist-cjs/dashboard/index.js', 'dist-cjs/dashboard/index.d.ts'],
  ...['dist/telemetry/index.js', 'dist-cjs/telemetry/index.d.ts'],
  ...['dist/prometheus/index.js', 'dist-cjs/prometheus/index.d.ts'],
  ...['dist/health/index.js', 'dist-cjs/health/index.d.ts', 'dist/cli/bin.js'],
];
/** The libraries for transactions are tried in one application. */
const SHARED = { recursive: true, filter: (file) => !file.endsWith('transactions.spec.ts') };
const MAX_TARBALL_BYTES = 1_200_000;
const UNWANTED = /^(lib|test|sample|\.ci|node_modules|tsconfig.*|.*\.spec\..*)(\/|$)/;

const folder = await mkdtemp(join(tmpdir(), 'jobs-package-'));
const database = `jobs_package_${randomBytes(4).toString('hex')}`;
let passed = 0;
let failed = 0;
try {
  const tarball = await pack();
  const files = await listFiles(tarball);
  await step('the tarball holds what it should, and nothing else', () => checkContents(files));
  await step('the links of its pages lead to files in it', () => checkLinks(files));
  await step('it is small', () => checkSize(tarball));
  await createDatabases(database);
  await step('a new Nest 12 application in ES modules', () => tryApp('nest12-esm', tarball, ['observed']));
  await step('a new Nest 11 application in CommonJS', () => tryApp('nest11-cjs', tarball, ['observed']));
  await step('a new Nest 10 application in CommonJS', () =>
    tryApp('nest10-cjs', tarball, ['nest11-cjs', 'observed']),
  );
  await step('the types, by compilers from 5.1 on and with the library of ES2021', () =>
    tryApp('types', tarball),
  );
  await step('both builds in one process', () => tryApp('nest12-both', tarball));
  await step('tests under Vitest, without a database', () => tryApp('nest12-vitest', tarball));
  await step('the command line, with a DataSource in CommonJS and in an ES module', () =>
    tryApp('cli', tarball),
  );
} finally {
  await dropDatabases(database);
  await rm(folder, { recursive: true, force: true });
}
console.log(`package: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function step(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`✓ ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`✗ ${name}\n${error.stdout ?? ''}\n${error.stderr ?? error.stack}`);
  }
}

async function pack() {
  const { stdout } = await npm(ROOT, ['pack', '--json', '--loglevel=error', '--pack-destination', folder]);
  const [{ filename }] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))));
  return join(folder, filename);
}

/** Unpacks the tarball. @returns the files in it */
async function listFiles(tarball) {
  await run('tar', ['-xzf', tarball, '-C', folder]);
  const entries = await readdir(join(folder, 'package'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(folder, 'package'), join(entry.parentPath, entry.name)));
}

function textOf(file) {
  return readFile(join(folder, 'package', file), 'utf8');
}

function checkContents(files) {
  const missing = WANTED.filter((file) => !files.includes(file));
  const unwanted = files.filter((file) => UNWANTED.test(file));
  if (missing.length + unwanted.length > 0) throw new Error(`missing: ${missing}; unwanted: ${unwanted}`);
}

async function checkLinks(files) {
  const dead = [];
  let links = 0;
  for (const page of files.filter((file) => file.endsWith('.md'))) {
    const text = (await textOf(page)).replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
    for (const [, target] of text.matchAll(/\]\(<?([^)#\s>]+)/g)) {
      if (/^[a-z]+:/i.test(target)) continue;
      links += 1;
      if (!files.includes(join(dirname(page), target))) dead.push(`${page} → ${target}`);
    }
  }
  if (links === 0) throw new Error('No page has a link.');
  if (dead.length > 0) throw new Error(dead.join('\n'));
}

/** What is installed on every deployment should not grow without a reason. */
async function checkSize(tarball) {
  const { size } = await stat(tarball);
  if (size > MAX_TARBALL_BYTES)
    throw new Error(`The tarball has ${size} bytes; ${MAX_TARBALL_BYTES} are allowed.`);
}

/** @param likes folders whose sources it has as well */
async function tryApp(name, tarball, likes = []) {
  const app = join(folder, name);
  for (const like of likes)
    await cp(join(import.meta.dirname, 'apps', like, 'src'), join(app, 'src'), SHARED);
  await cp(join(import.meta.dirname, 'apps', name), app, { recursive: true });
  await npm(app, ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball]);
  await npm(app, ['test']);
}

function npm(cwd, args) {
  const env = {
    ...process.env,
    POSTGRES_URL: withDatabase(POSTGRES_URL),
    MARIADB_URL: withDatabase(MARIADB_URL),
    NODE_OPTIONS: '',
  };
  return run('npm', args, { cwd, env, maxBuffer: 2 ** 26 });
}

function withDatabase(url) {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function createDatabases(name) {
  await onServers(`CREATE DATABASE ${name}`);
}

async function dropDatabases(name) {
  await onServers(`DROP DATABASE IF EXISTS ${name}`);
}

async function onServers(statement) {
  const postgres = new pg.Client(POSTGRES_URL);
  await postgres.connect();
  await postgres.query(statement).finally(() => postgres.end());
  const mariadb = await mysql.createConnection(MARIADB_URL);
  await mariadb.query(statement).finally(() => mariadb.end());
}

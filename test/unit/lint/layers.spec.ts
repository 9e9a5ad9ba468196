import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/*
 * Plants a violation of each rule of .dependency-cruiser.js and eslint.config.js in a copy of the layout, and expects the
 * linters to name it. The linters run as `npm run lint` runs them.
 */
const ROOT = join(import.meta.dirname, '../../..');

/** Each file, what it imports, and the rule that it breaks; none for a file that is as it should be. */
const PLANTED: readonly (readonly [file: string, imports: string, rule: string | null])[] = [
  ['async/timers', '', null],
  ['async/upward', "import type { Job } from '../job/job.js'", 'room-async'],
  ['job/job', "import '../async/timers.js'", null],
  ['job/upward', "import type { JobQueue } from '../queue/job-queue.js'", 'room-job'],
  ['job/value', "import { DataSource } from 'typeorm'", 'typeorm-in-storage'],
  ['job/type', "import type { DataSource } from 'typeorm'", null],
  ['schedules/rule', "import '../queue/job-queue.js'", null],
  ['schedules/upward', "import type { A } from '../execution/attempt.js'", 'room-schedules'],
  ['schedules/occurrences', "import { CronPattern } from 'croner'", null],
  ['schedules/parser', "import { CronPattern } from 'croner'", 'croner-in-one-file'],
  ['events/upward', "import type { JobQueue } from '../queue/job-queue.js'", 'room-events'],
  ['queue/job-queue', "import type { Job } from '../job/job.js'", null],
  ['queue/upward', "import type { A } from '../execution/attempt.js'", 'room-queue'],
  ['execution/attempt', "import type { JobQueue } from '../queue/job-queue.js'", null],
  ['execution/upward', "import type { W } from '../worker/worker.js'", 'room-execution'],
  ['worker/worker', "import '../execution/attempt.js'", null],
  ['worker/upward', "import type { S } from '../storage/sql/sql.js'", 'room-worker'],
  ['worker/one', "import type { T } from './two.js'", 'no-circle'],
  ['worker/two', "import type { O } from './one.js'", null],
  ['storage/sql/sql', "import { DataSource } from 'typeorm'", null],
  ['storage/sql/upward', "import type { T } from '../transactions/t.js'", 'room-storage-sql'],
  ['storage/transactions/t', "import type { S } from '../sql/sql.js'", null],
  ['storage/transactions/up', "import type { P } from '../postgres/p.js'", 'room-storage-transactions'],
  ['storage/postgres/p', "import '../sql/sql.js'", null],
  ['storage/postgres/aside', "import type { M } from '../mysql/m.js'", 'room-storage-postgres'],
  ['storage/mysql/m', "import '../sql/sql.js'", null],
  ['storage/mysql/aside', "import type { S } from '../sqlite/s.js'", 'room-storage-mysql'],
  ['storage/sqlite/s', "import '../sql/sql.js'", null],
  ['storage/sqlite/aside', "import type { P } from '../postgres/p.js'", 'room-storage-sqlite'],
  ['storage/memory/m', "import '../../execution/attempt.js'", null],
  ['storage/memory/aside', "import type { T } from '../typeorm/t.js'", 'room-storage-memory'],
  ['storage/typeorm/t', "import '../postgres/p.js'", null],
  ['storage/typeorm/upward', "import type { W } from '../../worker/worker.js'", 'room-storage-typeorm'],
  ['outbox/reader', "import '../queue/job-queue.js'", null],
  ['outbox/upward', "import type { C } from '../client/client.js'", 'room-outbox'],
  ['client/client', "import '../outbox/reader.js'", null],
  ['client/upward', "import type { M } from '../nest/module.js'", 'room-client'],
  ['client/nest', "import { Inject } from '@nestjs/common'", 'nest-at-the-edge'],
  ['maintenance/chore', "import '../queue/job-queue.js'", null],
  ['maintenance/upward', "import type { W } from '../worker/worker.js'", 'room-maintenance'],
  ['nest/module', "import { Module } from '@nestjs/common'", null],
  ['nest/upward', "import type { I } from '../testing/index.js'", 'room-nest'],
  ['adapters/library', "import '../queue/job-queue.js'", null],
  ['adapters/upward', "import type { M } from '../nest/module.js'", 'room-adapters'],
  ['testing/index', "import '../nest/module.js'", null],
  ['testing/aside', "import type { L } from '../adapters/library.js'", 'room-testing'],
  ['dashboard/index', "import '../nest/module.js'", null],
  ['dashboard/aside', "import type { T } from '../testing/index.js'", 'room-dashboard'],
  ['dashboard/api/screens', '', null],
  ['dashboard/ui/page', "import type { S } from '../api/screens.js'", null],
  ['dashboard/ui/server', "import '../index.js'", 'pages-stand-apart'],
  ['dashboard/server', "import './ui/page.js'", 'pages-are-bundled'],
  ['dashboard/library', "import { render } from 'preact'", 'pages-are-bundled'],
  ['metrics/metric', "import type { C } from '../client/client.js'", null],
  ['metrics/upward', "import type { I } from '../telemetry/index.js'", 'room-metrics'],
  ['metrics/prom', "import type { Registry } from 'prom-client'", 'prom-client-in-prometheus'],
  ['metrics/span', "import type { Span } from '@opentelemetry/api'", 'opentelemetry-in-telemetry'],
  ['telemetry/index', "import { trace } from '@opentelemetry/api'", null],
  ['telemetry/aside', "import type { I } from '../prometheus/index.js'", 'room-telemetry'],
  ['prometheus/index', "import { Registry } from 'prom-client'", null],
  ['prometheus/aside', "import type { I } from '../telemetry/index.js'", 'room-prometheus'],
  ['health/index', "import '../nest/module.js'", null],
  ['health/aside', "import type { T } from '../storage/typeorm/t.js'", 'room-health'],
  ['cli/main', "import '../storage/typeorm/t.js'", null],
  ['cli/value', "import { DataSource } from 'typeorm'", 'typeorm-in-storage'],
  ['cli/aside', "import type { H } from '../health/index.js'", 'room-cli'],
  ['nowhere/file', "import '../job/job.js'", 'every-file-has-a-room'],
  ['index', "import './testing/index.js'", 'sub-paths-stand-apart'],
];

/** Text in a file, and what eslint says of it. */
const TEXTS: readonly (readonly [file: string, text: string, rule: string | null])[] = [
  ['worker/sql', 'export const text = `\n  SELECT 1`;', 'no-restricted-syntax'],
  ['storage/typeorm/sql', "export const text = 'UPDATE t SET a = 1';", 'no-restricted-syntax'],
  ['storage/postgres/sql', "export const text = 'UPDATE t SET a = 1';", null],
  ['worker/timer', 'setTimeout(() => undefined, 1);', 'no-restricted-globals'],
  ['worker/sleep', "export { setTimeout } from 'node:timers/promises';", 'no-restricted-imports'],
  ['worker/turn', "export { setImmediate } from 'node:timers/promises';", null],
  ['async/timer', 'setTimeout(() => undefined, 1);', null],
  ['storage/mysql/chance', 'export const chance = Math.random();', 'no-restricted-syntax'],
  ['async/chance', 'export const chance = Math.random();', null],
];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobs-layers-'));
  for (const file of ['package.json', 'tsconfig.json', 'node_modules'])
    await symlink(join(ROOT, file), join(folder, file));
  for (const [file, text] of [...PLANTED, ...TEXTS]) {
    const path = join(folder, 'lib', `${file}.ts`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${text};\nexport {};\n`);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a linter prints, whether or not it found anything. */
function printedBy(script: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const options = { cwd: folder, maxBuffer: 2 ** 26 };
    execFile(process.execPath, [join(ROOT, 'node_modules', script), ...args], options, (_error, output) =>
      resolve(output),
    );
  });
}

describe('dependency-cruiser', () => {
  it('names each planted violation by its rule, and nothing else', async () => {
    const config = join(ROOT, '.dependency-cruiser.js');
    const output = await printedBy(
      'dependency-cruiser/bin/dependency-cruise.mjs',
      ...['lib', '--config', config, '--output-type', 'json'],
    );
    const { summary } = JSON.parse(output) as {
      summary: { violations: { from: string; rule: { name: string } }[] };
    };
    const found = summary.violations.map(({ from, rule }) => `${from.slice(4, -3)}: ${rule.name}`);
    const planted = PLANTED.filter(([, , rule]) => rule !== null).map(([file, , rule]) => `${file}: ${rule}`);
    expect([...new Set(found)].toSorted()).toEqual(planted.toSorted());
  });

  it('has a planted violation for each rule', async () => {
    const { default: config } = (await import(join(ROOT, '.dependency-cruiser.js'))) as {
      default: { forbidden: { name: string }[] };
    };
    const broken = new Set(PLANTED.map(([, , rule]) => rule));
    expect(config.forbidden.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
  });
});

describe('eslint', () => {
  it('keeps SQL, timers and chance in their rooms', async () => {
    const { default: configs } = (await import(join(ROOT, 'eslint.config.js'))) as { default: object[] };
    expect(configs.length).toBeGreaterThan(0);
    const rules = ['no-restricted-syntax', 'no-restricted-globals', 'no-restricted-imports'];
    await writeFile(
      join(folder, 'eslint.config.js'),
      `import configs from ${JSON.stringify(join(ROOT, 'eslint.config.js'))};
       import parser from '@typescript-eslint/parser';
       const rules = ${JSON.stringify(rules)};
       const only = (all = {}) => Object.fromEntries(Object.entries(all).filter(([name]) => rules.includes(name)));
       export default configs
         .filter((config) => config.rules && Object.keys(only(config.rules)).length > 0)
         .map(({ files, ignores, rules }) => ({ files, ignores: ignores ?? [], rules: only(rules), languageOptions: { parser } }));`,
    );
    const output = await printedBy('eslint/bin/eslint.js', 'lib', '--format', 'json');
    const found = (JSON.parse(output) as { filePath: string; messages: { ruleId: string }[] }[]).flatMap(
      ({ filePath, messages }) =>
        messages.map(({ ruleId }) => `${filePath.slice(filePath.indexOf('/lib/') + 5, -3)}: ${ruleId}`),
    );
    const planted = TEXTS.filter(([, , rule]) => rule !== null).map(([file, , rule]) => `${file}: ${rule}`);
    expect(found.toSorted()).toEqual(planted.toSorted());
  });
});

describe('The table of rooms in CONTRIBUTING.md', () => {
  const ROW = /^\| `([a-z/]+)` \| .* \| (\d+) \|$/gm;

  it('has each room and, to within a quarter, its size', async () => {
    const page = await readFile(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
    const rows = [...page.matchAll(ROW)].map(([, room, lines]) => ({ room: room!, lines: Number(lines) }));
    const { default: config } = (await import(join(ROOT, '.dependency-cruiser.js'))) as {
      default: { forbidden: { name: string }[] };
    };
    const rooms = config.forbidden.map(({ name }) => name).filter((name) => name.startsWith('room-'));
    expect(rows.map(({ room }) => `room-${room.replace('/', '-')}`).toSorted()).toEqual(rooms.toSorted());
    for (const { room, lines } of rows) {
      const sizes = await sizesOf(room);
      const sum = sizes.reduce((all, size) => all + size, 0);
      expect({ room, sum, isNear: Math.abs(sum - lines) <= Math.max(lines / 4, 50) }).toEqual({
        room,
        sum,
        isNear: true,
      });
    }
  });

  async function sizesOf(room: string): Promise<number[]> {
    const folder = join(ROOT, 'lib', room);
    const names = await readdir(folder, { recursive: true });
    const texts = names
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => readFile(join(folder, name), 'utf8'));
    return (await Promise.all(texts)).map((text) => text.split('\n').length - 1);
  }
});

describe('The files of lib', () => {
  it('have 260 lines at most, and half of them 80', async () => {
    const names = await readdir(join(ROOT, 'lib'), { recursive: true });
    const files = names.filter((name) => /\.tsx?$/.test(name));
    const sizes = await Promise.all(
      files.map(async (name) => (await readFile(join(ROOT, 'lib', name), 'utf8')).split('\n').length - 1),
    );
    expect(files.filter((_name, index) => sizes[index]! > 260)).toEqual([]);
    expect(sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(80);
  });
});

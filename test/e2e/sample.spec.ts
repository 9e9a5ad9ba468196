import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { extractText, getDocumentProxy } from 'unpdf';
import { describeOn, oneOfEach, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';

/** A retry takes at least five seconds, and the process its time to start. */
const TIMEOUT_MS = 240_000;

const MAIN = join(import.meta.dirname, '../../sample/dist/main.js');

/** The sample as a process of its own, and what it has printed. */
class Sample {
  output = '';
  readonly exitCode: Promise<number | null>;
  private readonly child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(args: readonly string[], env: Record<string, string | undefined>) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exitCode = new Promise((resolve) => this.child.once('close', resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async printed(text: RegExp): Promise<void> {
    await until(() => text.test(this.output), { what: `printing ${String(text)}` });
  }
}

async function textOf(file: string): Promise<string> {
  const document = await getDocumentProxy(new Uint8Array(await readFile(file)));
  return (await extractText(document, { mergePages: true })).text;
}

describeOn(oneOfEach, 'the sample on $name', (server) => {
  let database: TestDatabase;
  let dataDir: string;
  let started: Sample[];

  beforeAll(() => {
    if (!existsSync(MAIN)) throw new Error('The sample is not built; run "npm run build" first.');
  });

  beforeEach(async () => {
    database = await TestDatabase.create(server);
    dataDir = await mkdtemp(join(tmpdir(), 'sample-test-'));
    started = [];
  });

  afterEach(async () => {
    for (const sample of started) sample.signal('SIGKILL');
    await Promise.all(started.map(({ exitCode }) => exitCode));
    await rm(dataDir, { recursive: true });
    await database.drop();
  });

  function start(...args: string[]): Sample {
    const sample = new Sample(args, { DATABASE_URL: database.url, SAMPLE_DATA_DIR: dataDir, PORT: '0' });
    started.push(sample);
    return sample;
  }

  it(
    'turns orders into invoices and mails, retries some, fails those that must, and ends with 0',
    async () => {
      const sample = start('--once', '--orders', '30');
      expect(await sample.exitCode).toBe(0);
      expect(sample.output).toMatch(/invoice\.mail +DONE +29 +3\d +[1-9]/);
      expect(sample.output).toMatch(/invoice\.mail +FAILED +1 +1 +0/);
      expect(sample.output).toMatch(/invoice\.render +DONE +30 +30 +0/);
      const [invoices, mails] = await Promise.all(
        ['invoices', 'mails'].map((name) => readdir(join(dataDir, name))),
      );
      expect([invoices!.length, mails!.length]).toEqual([30, 29]);
      expect(await textOf(join(dataDir, 'invoices', 'S-00001.pdf'))).toMatch(
        /Zofia Lindqvist[^]*S-00001[^]*Total/,
      );
      expect(await textOf(join(dataDir, 'invoices', 'S-00013.pdf'))).toMatch(/no lines[^]*Total *0\.00\sEUR/);
      const mail = await readFile(join(dataDir, 'mails', 'invoice-S-00001_shop.example.eml'), 'utf8');
      expect(mail).toContain('filename=S-00001.pdf');
    },
    TIMEOUT_MS,
  );

  it(
    'stops in good order in the middle, and finishes the rest at the next start',
    async () => {
      const first = start('--orders', '30');
      await first.printed(/[1-9]\d* of 60 jobs ended/);
      first.signal('SIGINT');
      expect(await first.exitCode).toBe(0);
      expect(first.output).toContain('Stopping: running jobs are finished first.');
      const second = start('--once');
      expect(await second.exitCode).toBe(0);
      expect(second.output).toContain('The orders are here already.');
      expect(second.output).toMatch(/invoice\.render +DONE +30 +30 +0/);
    },
    TIMEOUT_MS,
  );
});

it(
  'the sample on its own database refuses to start beside itself, and leaves that database alone',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sample-test-'));
    await chmod(dataDir, 0o755); // run as root, the server is another user's
    const env = { DATABASE_URL: undefined, SAMPLE_DATA_DIR: dataDir, PORT: '0' };
    const first = new Sample(['--orders', '3'], env);
    try {
      await first.printed(/Loaded 3 orders/);
      const second = new Sample(['--orders', '3'], env);
      expect(await second.exitCode).toBe(1);
      expect(second.output).toContain('The sample is running already');
      await first.printed(/Serving on/);
      first.signal('SIGINT');
      expect(await first.exitCode).toBe(0);
      const third = new Sample(['--once'], env);
      expect(await third.exitCode).toBe(0);
      expect(third.output).toContain('The orders are here already.');
    } finally {
      first.signal('SIGKILL');
      await first.exitCode;
      await rm(dataDir, { recursive: true });
    }
  },
  TIMEOUT_MS,
);

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JobClient } from '../../lib/client/job-client.js';
import { JobKinds } from '../../lib/client/job-kinds.js';
import { resolveOptions } from '../../lib/nest/jobs.options.js';
import { TypeOrmJobQueue } from '../../lib/storage/typeorm/typeorm-job-queue.js';
import type { DataSource } from 'typeorm';
import { TestDatabase, type TestServer } from './databases.js';

const BIN = join(import.meta.dirname, '../../dist/cli/bin.js');

export interface CliAnswer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** What was printed with `--json`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look at parts of it
  readonly json: any;
}

/** The command line of the built package, as processes of their own. */
export class Cli {
  /** @param environment of the processes, beside that of this one */
  constructor(
    private readonly environment: Readonly<Record<string, string>>,
    private readonly folder = process.cwd(),
  ) {
    if (!existsSync(BIN)) throw new Error('Build the package first: npm run build:lib');
  }

  start(...given: readonly string[]): ChildProcess {
    const { DATABASE_URL: _own, NODE_OPTIONS: _options, ...others } = process.env;
    const env = { ...others, ...this.environment };
    return spawn(process.execPath, [BIN, ...given], {
      env,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async run(...given: readonly string[]): Promise<CliAnswer> {
    const child = this.start(...given);
    const read = { out: '', err: '' };
    child.stdout!.on('data', (text: Buffer) => (read.out += text.toString()));
    child.stderr!.on('data', (text: Buffer) => (read.err += text.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return {
      ...{ code, ...read },
      get json(): unknown {
        return JSON.parse(read.out) as unknown;
      },
    };
  }
}

/** A database with the command line on it, and what an application would inject. */
export class CliWorld {
  private constructor(
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    readonly queue: TypeOrmJobQueue,
    readonly cli: Cli,
  ) {}

  /** @param hasTable whether the table is there */
  static async open(server: TestServer, hasTable = true): Promise<CliWorld> {
    const database = await TestDatabase.create(server);
    const dataSource = await database.connect();
    const { queue: settings } = resolveOptions({ worker: false, logger: SILENT });
    const queue = new TypeOrmJobQueue(dataSource, settings);
    if (hasTable) await queue.open();
    return new CliWorld(database, dataSource, queue, new Cli({ DATABASE_URL: urlOf(database) }));
  }

  get client(): JobClient {
    return new JobClient(this.queue);
  }

  get kinds(): JobKinds {
    return new JobKinds(this.queue);
  }

  run(...given: readonly string[]): Promise<CliAnswer> {
    return this.cli.run(...given);
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.dataSource.destroy();
    await this.database.drop();
  }
}

/** What `DATABASE_URL` is for it. */
export function urlOf(database: TestDatabase): string {
  const { options } = database;
  return options.type === 'better-sqlite3' ? `sqlite:${options.database}` : database.url;
}

const SILENT = {
  debug: () => undefined,
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JobClient } from '../../lib/client/job-client.js';
import { JobKinds } from '../../lib/client/job-kinds.js';
import { JobSchedules } from '../../lib/client/job-schedules.js';
import { resolveOptions } from '../../lib/nest/jobs.options.js';
import { ScheduleRegistry } from '../../lib/schedules/schedule-registry.js';
import { TickJobs } from '../../lib/schedules/tick-jobs.js';
import { TypeOrmJobQueue } from '../../lib/storage/typeorm/typeorm-job-queue.js';
import type { DataSource } from 'typeorm';
import { TestDatabase, type TestServer } from './databases.js';

const DIST = join(import.meta.dirname, '../../dist/cli/bin.js');
const HOST = join(import.meta.dirname, '../e2e/fixtures/cli-host.mjs');

export interface CliAnswer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** What was printed with `--json`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look at parts of it
  readonly json: any;
}

/** The command line of the built package. */
export class Cli {
  private constructor(
    private readonly host: ChildProcess,
    private readonly databaseUrl: string | undefined,
    private readonly folder: string,
  ) {}

  /** Starts the process that runs command lines; the caller closes it. */
  static async open(databaseUrl?: string): Promise<Cli> {
    if (!existsSync(DIST)) throw new Error('Build the package first: npm run build:lib');
    const host = fork(HOST, {
      env: environmentOf(undefined),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });

    await once(host, 'message');
    return new Cli(host, databaseUrl, process.cwd());
  }

  /** The same for another database, or in another folder. */
  with({
    databaseUrl = this.databaseUrl,
    folder = this.folder,
  }: {
    readonly databaseUrl?: string | undefined;
    readonly folder?: string;
  }): Cli {
    return new Cli(this.host, databaseUrl, folder);
  }

  /** The same without a database, in a folder. */
  in(folder: string): Cli {
    return new Cli(this.host, undefined, folder);
  }

  /** Runs a command line as if no terminal were there, in a process that has run others before. */
  run(...given: readonly string[]): Promise<CliAnswer> {
    return this.send(given, undefined);
  }

  /** The same on a terminal, where a person gives this answer to a question. */
  runAnswering(reply: string, ...given: readonly string[]): Promise<CliAnswer> {
    return this.send(given, reply);
  }

  /** Starts it as a process of its own. */
  start(...given: readonly string[]): ChildProcess {
    return spawn(process.execPath, [DIST, ...given], {
      env: environmentOf(this.databaseUrl),
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Runs it as a process of its own, which takes a second longer. */
  async spawn(...given: readonly string[]): Promise<CliAnswer> {
    const child = this.start(...given);
    const read = { out: '', err: '' };
    child.stdout!.on('data', (text: Buffer) => (read.out += text.toString()));
    child.stderr!.on('data', (text: Buffer) => (read.err += text.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return answerOf({ code, ...read });
  }

  async close(): Promise<void> {
    const exited = once(this.host, 'exit');
    this.host.disconnect();
    await exited;
  }

  private async send(given: readonly string[], reply: string | undefined): Promise<CliAnswer> {
    const { databaseUrl, folder } = this;
    const answered = once(this.host, 'message') as Promise<[Omit<CliAnswer, 'json'> & { left: string[] }]>;
    this.host.send({ given, databaseUrl, folder, reply });
    const [{ left, ...answer }] = await answered;
    if (left.length > 0)
      throw new Error(`"${given.join(' ')}" would not end: it has left ${left.join(', ')} behind.`);
    return answerOf(answer);
  }
}

function environmentOf(databaseUrl: string | undefined): NodeJS.ProcessEnv {
  const { DATABASE_URL: _own, NODE_OPTIONS: _options, ...others } = process.env;
  return databaseUrl === undefined ? others : { ...others, DATABASE_URL: databaseUrl };
}

function answerOf(answer: Omit<CliAnswer, 'json'>): CliAnswer {
  return {
    ...answer,
    get json(): unknown {
      return JSON.parse(answer.out) as unknown;
    },
  };
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
    return new CliWorld(database, dataSource, queue, await Cli.open(urlOf(database)));
  }

  get client(): JobClient {
    return new JobClient(this.queue);
  }

  get schedules(): JobSchedules {
    return new JobSchedules(this.queue, new ScheduleRegistry(), new TickJobs({ maxPayloadBytes: 1_000 }));
  }

  get kinds(): JobKinds {
    return new JobKinds(this.queue);
  }

  run(...given: readonly string[]): Promise<CliAnswer> {
    return this.cli.run(...given);
  }

  async close(): Promise<void> {
    await this.cli.close();
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

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, TypeOrmJobQueue } from '../../lib/index.js';
import { describeOn, oneOfEach, sqlite, TestDatabase } from '../support/databases.js';
import { OBSERVING } from './observing.js';

const FIXTURE = join(import.meta.dirname, 'fixtures/racer.mjs');
/** A busy machine ends a race before all have enqueued as often as they should. */
const RACE_MS = 20_000;

/** What a racer tells at the end. */
interface Raced {
  readonly ids: readonly string[];
  readonly created: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** On the built package: `npm test` builds it, or else run `npm run build:lib`. */
describeOn([...oneOfEach, ...sqlite], 'Processes that race for a unique key on $name', (server) => {
  const isSqlite = server.type === 'better-sqlite3';
  const [size, count] = isSqlite ? [3, 300] : [8, 1_000];
  const levels = isSqlite ? ['default'] : ['READ COMMITTED', 'REPEATABLE READ'];
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TypeOrmJobQueue;
  let client: JobClient;
  let racers: ChildProcess[];
  let keys = 0;
  let key: string;

  beforeAll(async () => {
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    if (server.type === 'postgres')
      await dataSource.query(`ALTER DATABASE ${database.name} SET synchronous_commit = off`);
    queue = new TypeOrmJobQueue(dataSource, OBSERVING);
    await queue.open();
    client = new JobClient(queue);
    racers = Array.from({ length: size }, start);
    await Promise.all(racers.map((racer) => once(racer, 'message')));
  });

  beforeEach(() => {
    key = `key ${++keys}`;
  });

  afterAll(async () => {
    for (const racer of racers) racer.kill('SIGKILL');
    await queue.close();
    await dataSource.destroy();
    await database.drop();
  });

  function start(): ChildProcess {
    const extra = isSqlite ? {} : { poolSize: 5 };
    return fork(FIXTURE, {
      execArgv: ['--no-warnings'],
      env: { ...process.env, DATABASE: JSON.stringify({ ...database.options, ...extra }), NODE_OPTIONS: '' },
    });
  }

  async function told(racer: ChildProcess, message: object): Promise<unknown> {
    racer.send(message);
    const [answer] = (await once(racer, 'message')) as [unknown];
    return answer;
  }

  /** On SQLite the transactions of one process share a connection. */
  function race(level: string | null, by = racers): Promise<Raced[]> {
    const atOnce = isSqlite && level !== null ? 1 : 4;
    const terms = { race: { key, count, forMs: RACE_MS, atOnce, level } };
    return Promise.all(by.map((racer) => told(racer, terms) as Promise<Raced>));
  }

  function expectOne(raced: readonly Raced[]): string {
    const ids = new Set(raced.flatMap((one) => one.ids));
    expect(ids.size).toBe(1);
    expect(raced.reduce((sum, { created }) => sum + created, 0)).toBe(1);
    return [...ids][0]!;
  }

  async function openJobs(): Promise<unknown[]> {
    const rows = await dataSource.query<{ id: unknown; settings: string | object }[]>(
      `SELECT id, settings FROM nest_jobs WHERE status = 'PENDING'`,
    );
    const text = (value: string | object) => (typeof value === 'string' ? value : JSON.stringify(value));
    return rows.filter(({ settings }) => text(settings).includes(`"${key}"`)).map(({ id }) => id);
  }

  it('make one job', async () => {
    const raced = await race(null);
    expect(await openJobs()).toEqual([expectOne(raced)]);
    expect(raced.map(({ errors }) => errors)).toEqual(racers.map(() => ({})));
  });

  it.each(levels)('make one job in transactions, at %s', async (level) => {
    const raced = await race(level);
    expect(await openJobs()).toEqual([expectOne(raced)]);
    const errors = new Set(raced.flatMap((one) => Object.keys(one.errors)));
    // A snapshot that is older than what others have written since is refused: to the caller, who may begin anew.
    const isRefused = server.type === 'postgres' && level === 'REPEATABLE READ';
    expect([...errors].filter((code) => !isRefused || code !== '40001')).toEqual([]);
  });

  it('leave no key taken when they are killed', async () => {
    const killed = racers.splice(0, Math.floor(size / 2));
    const [holding, ...racing] = killed;
    expect(await told(holding!, { hold: key })).toEqual({ enqueued: 'created' });
    for (const racer of racing)
      racer.send({ race: { key, count, forMs: RACE_MS, atOnce: 1, level: levels[0] } });
    const others = isSqlite ? null : race(null);
    const ends = killed.map((racer) => once(racer, 'exit'));
    for (const racer of killed) racer.kill('SIGKILL');
    await Promise.all(ends);
    const raced = (await others) ?? (await race(null));
    expect(new Set(raced.flatMap(({ ids }) => ids)).size).toBe(1);
    expect(raced.map(({ errors }) => errors)).toEqual(racers.map(() => ({})));
    expect(await openJobs()).toEqual(raced[0]!.ids);
    const terms = { workerId: 'tester', leaseMs: 60_000 };
    for (const job of await queue.claim(['work'], 99, terms))
      await queue.settle([{ ...job, outcome: { type: 'done', result: { json: null, bytes: null } } }]);
    const again = await client.enqueue('work', null, { unique: { key } });
    expect(again).toMatchObject({ enqueued: 'created' });
  });
});

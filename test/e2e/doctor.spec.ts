import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueryRunner } from 'typeorm';
import { RELEASE } from '../../lib/job/release.js';
import { resolveSchedule } from '../../lib/schedules/resolve-schedule.js';
import { encodeTerms } from '../../lib/schedules/schedule-terms.js';
import type { DoctorFinding } from '../../lib/cli/doctor/diagnose.js';
import { Cli, CliWorld, urlOf, type CliAnswer } from '../support/cli.js';
import { anyServer, describeOn, oneOfEach, pooled, sqlite, type TestServer } from '../support/databases.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { PgBouncer } from '../support/pgbouncer.js';

const HOUR = 3_600_000;
const EACH_MINUTE = encodeTerms(resolveSchedule({ name: 'nightly', kind: 'mail', everyMs: 60_000 }));
const ABOUT = { kinds: ['mail'], release: RELEASE, tzData: process.versions.tz, concurrency: 10 };

/** A trouble that is planted, found, and taken away again. */
interface Trouble {
  readonly code: string;
  readonly plant: () => Promise<unknown>;
  readonly heal: (found: DoctorFinding) => Promise<unknown>;
  /** Options of the doctor. */
  readonly options?: readonly string[];
}

const findingsOf = ({ json }: CliAnswer) => (json as { findings: readonly DoctorFinding[] }).findings;

describeOn([...oneOfEach, ...sqlite], 'The doctor on $name', (server) => {
  let world: CliWorld;
  /** What the server of the tests has that a server of users should not have. */
  let ofServer: readonly string[];

  const examine = async (...options: readonly string[]) => {
    const answer = await world.run('doctor', '--json', ...options);
    const findings = [...findingsOf(answer)];
    expect(answer.code).toBe(findings.length === 0 ? 0 : 1);
    for (const code of ofServer)
      findings.splice(
        findings.findIndex((found) => found.code === code),
        1,
      );
    return findings;
  };
  const { type } = server;
  const isMysql = type === 'mysql';
  const send = async (...statements: readonly string[]) => {
    for (const statement of statements) await world.dataSource.query(statement);
  };
  /** Runs what a remedy says: `Run: CREATE INDEX …`. */
  const obey = ({ remedy }: DoctorFinding) => send(remedy.slice(remedy.indexOf('un: ') + 4));
  const ago = (ms: number) => {
    const instant = new Date(Date.now() - ms).toISOString();
    return type === 'postgres' ? `'${instant}'` : `'${instant.replace('T', ' ').replace('Z', '')}'`;
  };
  const enqueue = (more = {}) => world.client.enqueue('mail', null, { id: 'planted', ...more });
  const deleteJob = () => world.client.delete('planted', { force: true });
  const beat = (about: object, workerId = 'w1') =>
    world.queue.kinds.beat({
      workerId,
      controlsSeen: 0,
      about: JSON.stringify({ ...ABOUT, ...about }),
      counts: [],
    });
  const forget = async () => {
    for (const id of ['w1', 'w2']) await world.queue.kinds.forget(id);
  };
  const schedule = (rule: string, nextAt: Date | null) =>
    world.queue.schedules.save({
      ...{ name: 'nightly', kind: 'mail', rule, payload: null },
      ...{ anchorAt: new Date(0), nextAt, declaredAt: null, declaredBy: null, revision: null },
    });
  const unschedule = () => world.queue.schedules.delete('nightly');
  const dropReady = isMysql ? 'ALTER TABLE nest_jobs DROP KEY nest_jobs_ready' : 'DROP INDEX nest_jobs_ready';

  beforeAll(async () => {
    world = await CliWorld.open(server);
    ofServer = await environmentOf(server, world);
  });
  afterAll(() => world.close());

  const EVERYWHERE: readonly Trouble[] = [
    {
      code: 'side-table-missing',
      plant: () => send('ALTER TABLE nest_jobs_controls RENAME TO elsewhere'),
      heal: () => send('ALTER TABLE elsewhere RENAME TO nest_jobs_controls'),
    },
    {
      code: 'column-missing',
      plant: () => send('ALTER TABLE nest_jobs RENAME COLUMN progress TO elsewhere'),
      heal: () => send('ALTER TABLE nest_jobs RENAME COLUMN elsewhere TO progress'),
    },
    { code: 'index-missing', plant: () => send(dropReady), heal: obey },
    {
      code: 'index-differs',
      plant: () =>
        send(
          dropReady,
          isMysql
            ? 'ALTER TABLE nest_jobs ADD KEY nest_jobs_ready (kind)'
            : 'CREATE INDEX nest_jobs_ready ON nest_jobs (kind)',
        ),
      heal: async (found) => {
        await send(dropReady);
        await obey(found);
      },
    },
    { code: 'no-worker', plant: () => enqueue(), heal: deleteJob },
    {
      code: 'kind-without-worker',
      plant: () => Promise.all([beat({ kinds: ['other'] }), enqueue()]),
      heal: () => Promise.all([forget(), deleteJob()]),
    },
    {
      code: 'backlog-old',
      plant: () => Promise.all([beat({}), enqueue({ runAt: new Date(Date.now() - HOUR) })]),
      heal: () => Promise.all([forget(), deleteJob()]),
    },
    {
      code: 'leases-expired',
      plant: async () => {
        await enqueue();
        await world.queue.claim(['mail'], 1, { workerId: 'dead', leaseMs: 60_000 });
        await send(`UPDATE nest_jobs SET locked_until = ${ago(HOUR)}`);
      },
      heal: deleteJob,
    },
    {
      code: 'schedule-overdue',
      plant: () => schedule(EACH_MINUTE, new Date(Date.now() - HOUR)),
      heal: unschedule,
    },
    { code: 'schedule-unreadable', plant: () => schedule('{}', null), heal: unschedule },
    {
      code: 'pause-forgotten',
      plant: async () => {
        await world.kinds.pause('mail', { reason: 'no server' });
        await send(`UPDATE nest_jobs_controls SET paused_at = ${ago(50 * HOUR)} WHERE kind = 'mail'`);
      },
      heal: () => world.kinds.resume('mail'),
    },
    {
      code: 'pause-forgotten',
      plant: async () => {
        await world.kinds.pause('*', { reason: 'a migration' });
        await send(`UPDATE nest_jobs_controls SET paused_at = ${ago(50 * HOUR)} WHERE kind = '*'`);
      },
      heal: () => world.kinds.resume('*'),
    },
    {
      code: 'pause-forgotten',
      plant: async () => {
        await schedule(EACH_MINUTE, new Date(Date.now() + HOUR));
        await world.queue.schedules.pause('nightly', 'a holiday');
        await send(`UPDATE nest_jobs_schedules SET paused_at = ${ago(50 * HOUR)}`);
      },
      heal: unschedule,
    },
    { code: 'releases-differ', plant: () => beat({ release: '9.9.9' }), heal: forget },
    { code: 'time-zone-data-missing', plant: () => beat({ tzData: null }), heal: forget },
    {
      code: 'time-zone-data-differs',
      plant: () => Promise.all([beat({ tzData: '2020a' }), beat({ tzData: '2026b' }, 'w2')]),
      heal: forget,
    },
    { code: 'event-loop-blocked', plant: () => beat({ eventLoopDelayMs: 40_000 }), heal: forget },
  ];

  let open: QueryRunner;
  const transaction: Trouble = {
    code: 'long-transaction',
    options: ['--max-transaction', '100ms'],
    plant: async () => {
      open = world.dataSource.createQueryRunner();
      await open.startTransaction();
      await world.client.enqueue('mail', null, { id: 'open', delayMs: HOUR, manager: open.manager });
      await open.query(isMysql ? 'SELECT SLEEP(0.3)' : 'SELECT pg_sleep(0.3)');
    },
    heal: async () => {
      await open.rollbackTransaction();
      await open.release();
    },
  };
  const ofDatabase: Readonly<Record<TestServer['type'], readonly Trouble[]>> = {
    postgres: [
      transaction,
      {
        code: 'index-unusable',
        plant: () =>
          send(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'nest_jobs_ready'::regclass`),
        heal: () =>
          send(`UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'nest_jobs_ready'::regclass`),
      },
      {
        code: 'not-durable',
        plant: () => send('ALTER TABLE nest_jobs SET UNLOGGED'),
        heal: () => send('ALTER TABLE nest_jobs SET LOGGED'),
      },
      {
        code: 'timeout-short',
        plant: () => send(`ALTER DATABASE ${world.database.name} SET statement_timeout = 2000`),
        heal: () => send(`ALTER DATABASE ${world.database.name} RESET statement_timeout`),
      },
      {
        code: 'server-unsuitable',
        plant: () => send(`ALTER DATABASE ${world.database.name} SET array_nulls = off`),
        heal: () => send(`ALTER DATABASE ${world.database.name} RESET array_nulls`),
      },
      {
        code: 'version-lost',
        plant: () => send('COMMENT ON TABLE nest_jobs IS NULL'),
        heal: obey,
      },
    ],
    mysql: [
      transaction,
      {
        code: 'index-unusable',
        plant: () => send('ALTER TABLE nest_jobs ALTER INDEX nest_jobs_ready IGNORED'),
        heal: () => send('ALTER TABLE nest_jobs ALTER INDEX nest_jobs_ready NOT IGNORED'),
      },
      { code: 'version-lost', plant: () => send(`ALTER TABLE nest_jobs COMMENT = ''`), heal: obey },
    ],
    'better-sqlite3': [],
  };

  it('is silent on a healthy database, with jobs, a worker and a schedule', async () => {
    await beat({});
    await enqueue();
    await schedule(EACH_MINUTE, new Date(Date.now() + HOUR));
    const findings = await examine();
    const { out } = await world.run('doctor');
    await Promise.all([forget(), deleteJob(), unschedule()]);
    expect(findings).toEqual([]);
    if (ofServer.length === 0) expect(out).toContain('No trouble found.');
  });

  it.each([...EVERYWHERE, ...ofDatabase[type]])(
    'finds $code where it is planted, and nothing else, and names the remedy',
    async ({ code, plant, heal, options = [] }) => {
      await plant();
      const findings = await examine(...options);
      await heal(findings[0]!);
      expect(findings.map((found) => found.code)).toEqual([code]);
      const [{ trouble, remedy, severity }] = findings as [DoctorFinding];
      expect(['error', 'warning']).toContain(severity);
      expect(trouble).toMatch(/^\S.+[.}]/s);
      expect(remedy.length).toBeGreaterThan(20);
    },
  );

  it('is silent again once all of them are gone', async () => {
    expect(await examine()).toEqual([]);
  });

  it('finds that the table is missing, and writes trouble and remedy for a person', async () => {
    const { code, out, err } = await world.run('doctor', '--table-prefix', 'none_');
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toMatch(
      /^ERROR {3}table-missing\n {2}There is no table .*\n {2}→ Run `nestjs-typeorm-jobs migrate`/m,
    );
    expect(out).toMatch(/\n\d errors?\n$/);
  });
});

/** What the tests' own servers are started with, to be fast. */
async function environmentOf({ type }: TestServer, { dataSource }: CliWorld): Promise<string[]> {
  if (type !== 'postgres') return [];
  const isOff = async (name: string) =>
    (await dataSource.query<Record<string, string>[]>(`SHOW ${name}`))[0]![name] === 'off';
  return [
    ...((await isOff('fsync')) ? ['not-durable'] : []),
    ...((await isOff('autovacuum')) ? ['autovacuum-off'] : []),
  ];
}

describeOn(pooled, 'The doctor behind a pooler in transaction mode before $name', (server) => {
  let world: CliWorld;
  let pooler: PgBouncer;
  beforeAll(async () => {
    world = await CliWorld.open(server);
    pooler = await PgBouncer.start(world.database.url, 3);
  });
  afterAll(async () => {
    await pooler.stop();
    await world.close();
  });

  it('finds that notifications do not arrive', async () => {
    const behind = await world.cli.with({ databaseUrl: pooler.url }).run('doctor', '--json');
    expect(findingsOf(behind).map(({ code }) => code)).toContain('notifications-missing');
    const direct = await world.run('doctor', '--json');
    expect(findingsOf(direct).map(({ code }) => code)).not.toContain('notifications-missing');
  });
});

describe('The doctor on a standby', () => {
  let primary: OwnPostgres;
  let cli: Cli;
  beforeAll(async () => {
    primary = await OwnPostgres.start();
    cli = await Cli.open(primary.url);
    await cli.run('migrate');
  });
  afterAll(async () => {
    await cli.close();
    await primary.stop();
  });

  it('finds that no job can be written there, and no such thing on the primary', async () => {
    const codes = async () => findingsOf(await cli.run('doctor', '--json')).map(({ code }) => code);
    expect(await codes()).toEqual([]);
    await primary.restartAsStandby();
    expect(await codes()).toContain('server-read-only');
  });
});

describe('The doctor, of the DataSource of an application', () => {
  let world: CliWorld;
  let folder: string;
  let files = 0;
  beforeAll(async () => {
    world = await CliWorld.open(anyServer());
    const cache = join(import.meta.dirname, '../../node_modules/.cache');
    await mkdir(cache, { recursive: true });
    folder = await mkdtemp(join(cache, 'doctor-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await world.close();
  });

  const examine = async (options: string) => {
    const text = `import { DataSource } from 'typeorm';
      export default new DataSource({ type: 'postgres', url: '${urlOf(world.database)}', ${options} });`;
    const file = `source-${++files}.mjs`; // a process loads each file once
    await writeFile(join(folder, file), text);
    const answer = await world.cli.in(folder).run('doctor', '-d', file, '--json');
    return findingsOf(answer).map(({ code }) => code);
  };

  it('finds that it changes tables by itself, and that its pool is too small', async () => {
    expect(await examine('synchronize: true, poolSize: 1')).toEqual(
      expect.arrayContaining(['synchronize-on', 'pool-small']),
    );
    const found = await examine('poolSize: 5');
    expect(found).not.toContain('synchronize-on');
    expect(found).not.toContain('pool-small');
  });
});

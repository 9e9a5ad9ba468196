import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  Module,
  type DynamicModule,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import {
  getJobsHealthToken,
  InjectJobsHealth,
  JobsHealthIndicator,
  JobsHealthModule,
  type JobsHealthOptions,
} from '../../lib/health/index.js';
import {
  InvalidOptionError,
  JobClient,
  JobHandler,
  JobKinds,
  JobQueue,
  JobsModule,
  Worker,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { deferred } from '../../lib/async/deferred.js';
import { anyServer, describeOn, oneOfEach, TestDatabase } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

let gate = deferred();

@Injectable()
class Mails {
  @JobHandler('mail')
  mail(): void {
    // It is only to be there.
  }

  @JobHandler('slow')
  slow(): Promise<void> {
    return gate.promise;
  }
}

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly jobs: JobsHealthIndicator,
  ) {}

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.jobs.isLive()]);
  }

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.jobs.isReady()]);
  }

  @Get('jobs')
  @HealthCheck()
  keepingUp() {
    return this.health.check([() => this.jobs.isKeepingUp('backlog')]);
  }

  /** Without Terminus. */
  @Get('all')
  all() {
    return this.jobs.check();
  }
}

const silent = {
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/** A service as users write it: checks by Terminus over HTTP. */
describeOn(oneOfEach, 'The health of an application on $name', (server) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let app: INestApplication;

  beforeEach(async () => {
    gate = deferred();
    database = await TestDatabase.create(server);
    proxy = await TcpProxy.start(database.url);
  });
  afterEach(async () => {
    gate.resolve();
    proxy.release();
    await app.close();
    await proxy.cut();
    await database.drop();
  });

  const dataSource = (): DynamicModule =>
    TypeOrmModule.forRoot({ type: server.type, url: proxy.url, retryAttempts: 0 });
  const compile = async (root: ModuleMetadata) => {
    const module = await Test.createTestingModule(root).setLogger(silent).compile();
    app = module.createNestApplication();
    return app;
  };
  const start = async (
    jobs: JobsModuleOptions = {},
    health: JobsHealthOptions = {},
    providers: ModuleMetadata['providers'] = [Mails],
  ) => {
    await compile({
      imports: [
        dataSource(),
        JobsModule.forRoot({ databaseTimeoutMs: 1_000, logger: silent, ...jobs }),
        TerminusModule.forRoot({ logger: false }),
        JobsHealthModule.forRoot({ databaseTimeoutMs: 500, ...health }),
      ],
      controllers: [HealthController],
      providers,
    });
    await app.listen(0, '127.0.0.1');
  };
  const get = async (path: string) => {
    const response = await fetch(`${await app.getUrl()}/health/${path}`);
    return { status: response.status, body: (await response.json()) as HealthCheckResult };
  };
  /** What a check says of its indicator. */
  const detail = async (path: string, key = 'jobs'): Promise<Record<string, unknown>> => {
    const { status, body } = await get(path);
    return { http: status, ...body.details[key] };
  };
  const codes = async (path: string, key = 'jobs') =>
    ((await detail(path, key)).problems as { code: string }[]).map(({ code }) => code);
  const isUp = (path: string, key = 'jobs') =>
    until(async () => (await detail(path, key)).http === 200, { what: `${path} is up`, everyMs: 50 });

  it('is up while the worker runs and the database answers', async () => {
    await start();
    expect(await detail('live')).toEqual({ http: 200, status: 'up', worker: 'running', problems: [] });
    expect(await detail('ready')).toEqual({
      ...{ http: 200, status: 'up', worker: 'running', problems: [] },
      databaseMs: expect.any(Number),
    });
    await isUp('jobs', 'backlog');
    expect(await detail('jobs', 'backlog')).toEqual({
      ...{ http: 200, status: 'up', problems: [] },
      ...{ oldestReadyMs: {}, overdueMs: {}, kindsWithoutWorker: [] },
    });
    const { body } = await get('all');
    expect(body).toMatchObject({ isUp: true, live: { isUp: true }, ready: { isUp: true } });
  });

  it('is not ready, and live all the same, while the database does not answer; and ready again after that', async () => {
    await start();
    proxy.hold();
    const down = await detail('ready');
    expect(down).toMatchObject({
      ...{ http: 503, status: 'down', databaseMs: null },
      problems: [{ code: 'database-unreachable', text: 'The database has not answered within 500 ms.' }],
    });
    expect(await detail('live')).toMatchObject({ http: 200, status: 'up' });
    proxy.release();
    await isUp('ready');
  });

  it('is not ready, and live, while connections are refused', async () => {
    await start();
    await proxy.cut();
    expect(await codes('ready')).toEqual(['database-unreachable']);
    expect(await codes('jobs', 'backlog')).toEqual(['database-unreachable']);
    expect((await detail('live')).http).toBe(200);
    await proxy.restore();
    await isUp('ready');
  });

  it('asks a database that does not answer one question at a time', async () => {
    await start({ worker: false, databaseTimeoutMs: 60_000 });
    let asked = 0;
    const queue = app.get(JobQueue);
    const { reads } = queue;
    const now = reads.now.bind(reads);
    reads.now = () => {
      asked += 1;
      return now();
    };
    await isUp('ready');
    const before = asked;
    proxy.hold();
    for (let i = 0; i < 3; i++) expect((await detail('ready')).http).toBe(503);
    expect(asked - before).toBe(1);
  });

  it('stays live through an outage that is longer than the worker may be silent', async () => {
    await start({}, { maxSilentMs: 5_000 });
    await proxy.cut();
    const end = performance.now() + 7_000;
    await until(
      async () => {
        expect((await detail('live')).http).toBe(200);
        expect(app.get(Worker).vitals!.silentMs).toBeLessThan(3_000);
        return performance.now() > end;
      },
      { everyMs: 500 },
    );
    await proxy.restore();
    await isUp('ready');
  });

  it('expects no sign of life before the next poll', async () => {
    await start({ worker: { pollIntervalMs: 60_000 } });
    const end = performance.now() + 1_500;
    await until(() => {
      expect(app.get(Worker).vitals!.silentMs).toBeLessThan(1_000);
      return performance.now() > end;
    });
  });

  it('is not live where the loop of the worker has stopped, whatever the database says', async () => {
    await start({ worker: { shutdownTimeoutMs: 100 } }, { maxSilentMs: 5_000 });
    const queue = app.get(JobQueue);
    queue.claim = () => new Promise(() => undefined);
    await until(async () => (await detail('live')).http === 503, {
      what: 'the loop is missed',
      everyMs: 200,
    });
    expect(await codes('live')).toEqual(['worker-silent']);
    expect((await detail('ready')).http).toBe(200);
  });

  it('is not ready and live where the worker was stopped, and while it stops', async () => {
    await start({ worker: { shutdownTimeoutMs: 60_000 } });
    const job = await app.get(JobClient).enqueue('slow');
    await until(async () => (await app.get(JobClient).get(job.id))?.state === 'running');
    const stopping = app.get(Worker).stop();
    expect(await detail('ready')).toMatchObject({ http: 503, worker: 'stopping' });
    expect(await detail('live')).toMatchObject({ http: 200, worker: 'stopping' });
    gate.resolve();
    await stopping;
    expect(await codes('ready')).toEqual(['worker-not-running']);
    expect(await detail('ready')).toMatchObject({ http: 503, worker: 'stopped' });
    expect(await detail('live')).toMatchObject({ http: 200, worker: 'stopped' });
    await app.get(Worker).start();
    await isUp('ready');
  });

  it('judges a process without a worker by what it has', async () => {
    await start({ worker: false }, {}, []);
    expect(await detail('live')).toMatchObject({ http: 200, worker: 'none' });
    expect(await detail('ready')).toMatchObject({ http: 200, worker: 'none' });
  });

  it('judges a process whose worker serves nothing as one that has none to start', async () => {
    await start({}, {}, []);
    expect(await detail('live')).toMatchObject({ http: 200, worker: 'idle' });
    expect(await detail('ready')).toMatchObject({ http: 200, worker: 'idle' });
  });

  it('tells of kinds that wait without a worker', async () => {
    await start({ unknownKinds: 'allow' });
    await app.get(JobClient).enqueue('forgotten');
    expect(await detail('jobs', 'backlog')).toMatchObject({
      ...{ http: 503, status: 'down', kindsWithoutWorker: ['forgotten'] },
      problems: [{ code: 'kind-without-worker', text: expect.stringContaining('forgotten') }],
    });
    await app.get(JobKinds).pause('forgotten');
    await isUp('jobs', 'backlog');
  });

  it('tells of a backlog that is older than its threshold, by kind', async () => {
    const runAt = new Date(Date.now() - 7_200_000);
    const health = { maxReadyMs: 60_000, maxReadyMsOf: { slow: 86_400_000 } };
    await start({ worker: { concurrency: 1 } }, health);
    const client = app.get(JobClient);
    const { id } = await client.enqueue('slow');
    await until(async () => (await client.get(id))?.state === 'running');
    await client.enqueueMany([
      { kind: 'mail', runAt },
      { kind: 'slow', runAt },
    ]);
    await until(async () => (await codes('jobs', 'backlog')).length > 0);
    const down = await detail('jobs', 'backlog');
    expect(down.problems).toEqual([
      { code: 'backlog-old', text: expect.stringMatching(/of the kind mail has waited for 72\d\d s/) },
    ]);
    expect((down.oldestReadyMs as Record<string, number>).slow).toBeGreaterThan(7_000_000);
    gate.resolve();
    await isUp('jobs', 'backlog');
  });

  it('tells of schedules that are overdue', async () => {
    await start({ worker: false });
    const nextAt = new Date(Date.now() - 600_000);
    const { schedules } = app.get(JobQueue);
    await schedules.save({
      ...{ name: 'nightly', kind: 'mail', rule: '{}', payload: null, anchorAt: nextAt, nextAt },
      ...{ declaredAt: null, declaredBy: null, revision: null },
    });
    expect(await codes('jobs', 'backlog')).toEqual(['schedule-overdue']);
    await schedules.pause('nightly', null);
    await isUp('jobs', 'backlog');
  });

  it('is not ready, and live, until a database that was down at the start has been opened', async () => {
    await proxy.cut();
    await compile({
      imports: [
        TypeOrmModule.forRoot({
          ...({ type: server.type, url: proxy.url } as DataSourceOptions),
          manualInitialization: true,
        }),
        JobsModule.forRoot({ databaseAtStart: 'optional', databaseTimeoutMs: 1_000, logger: silent }),
        TerminusModule.forRoot({ logger: false }),
        JobsHealthModule.forRoot(),
      ],
      controllers: [HealthController],
      providers: [Mails],
    });
    await app.listen(0, '127.0.0.1');
    expect(await codes('ready')).toEqual(['database-unreachable', 'worker-not-running']);
    expect(await detail('live')).toMatchObject({ http: 200, worker: 'unstarted' });
    await proxy.restore();
    await isUp('ready');
  });
});

describe('JobsHealthModule', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await TestDatabase.create(anyServer());
  });
  afterEach(() => database.drop());

  const compiled = (root: ModuleMetadata) => Test.createTestingModule(root).setLogger(silent).compile();

  it('serves a module with a name, beside the one without', async () => {
    @Injectable()
    class Checks {
      constructor(
        @InjectJobsHealth('mails') readonly mails: JobsHealthIndicator,
        readonly jobs: JobsHealthIndicator,
      ) {}
    }
    @Module({
      imports: [JobsHealthModule.forRoot({ name: 'mails' }), JobsHealthModule.forRoot()],
      providers: [Checks],
    })
    class HealthModule {}
    const app = await compiled({
      imports: [
        TypeOrmModule.forRoot(database.options),
        JobsModule.forRoot({ name: 'mails', worker: false, logger: silent }),
        JobsModule.forRoot({ logger: silent }),
        HealthModule,
      ],
    });
    await app.init();
    const { mails, jobs } = app.get(Checks, { strict: false });
    expect(await mails.isReady('mails')).toMatchObject({ mails: { status: 'up', worker: 'none' } });
    expect(await jobs.isReady()).toMatchObject({ jobs: { status: 'up', worker: 'idle' } });
    expect(app.get(getJobsHealthToken('mails'), { strict: false })).toBe(mails);
    await app.close();
  });

  it('refuses to start beside no JobsModule of its name', async () => {
    const app = await compiled({ imports: [JobsHealthModule.forRoot({ name: 'other' })] });
    const starting = app.init();
    await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(starting).rejects.toThrow('"name" is "other"; it must be the name of a JobsModule');
  });

  it.each([
    [{ maxReadyMs: -1 }, 'maxReadyMs'],
    [{ maxReadyMsOf: { mail: NaN } }, 'maxReadyMsOf'],
    [{ databaseTimeoutMs: 1 }, 'databaseTimeoutMs'],
    [{ maxSilentMs: 10 }, 'maxSilentMs'],
    [{ maxReady: 10 }, 'maxReady'],
  ])('refuses a wrong option: %j', (options, name) => {
    const make = () => JobsHealthModule.forRoot(options as JobsHealthOptions);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(`Option "${name}" is`);
  });
});

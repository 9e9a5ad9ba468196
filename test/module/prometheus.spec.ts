import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Injectable,
  Module,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  VersioningType,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import parse from 'parse-prometheus-text-format';
import { Counter, Registry } from 'prom-client';
import { InvalidOptionError, JobClient } from '../../lib/index.js';
import { jobsMetrics, JobsMetricsModule, type JobsMetricsOptions } from '../../lib/prometheus/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';
import { ended } from '../support/applications.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { describeObserved, eventsOf, Mails, QUICK, type Start } from '../support/observed-applications.js';

const familiesOf = async (register: Registry) =>
  new Map(parse(await register.metrics()).map((family) => [family.name, family]));

/** The counts of a histogram one by one: where the parser knows the type, it brings those of all labels together. */
const countsOf = async (register: Registry, histogram: string) => {
  const text = (await register.metrics()).replaceAll(/^# .*$/gm, '');
  return parse(text).flatMap(({ name, metrics }) => (name === `${histogram}_count` ? metrics : []));
};

describeObserved('Metrics for Prometheus', tests);

function tests(start: Start): void {
  it('have the names of OpenTelemetry as Prometheus writes them, and are read by a parser', async () => {
    const register = new Registry();
    const app = await start({
      imports: [JobsMetricsModule.forRoot({ register, unguarded: true, kindsCacheMs: 0 })],
    });
    const client = app.get(JobClient);
    const jobs = await client.enqueueMany(
      ['a', 'b', 'permanent'].map((payload) => ({ kind: 'mail', payload })),
    );
    for (const { id } of jobs) await ended(client, id);
    const families = await familiesOf(register);
    const mail = { queue: 'default', kind: 'mail' };
    expect(families.get('messaging_client_sent_messages_total')).toMatchObject({
      type: 'COUNTER',
      metrics: [{ labels: mail, value: '3' }],
    });
    expect(families.get('messaging_client_consumed_messages_total')).toMatchObject({
      type: 'COUNTER',
      metrics: [{ labels: mail, value: '3' }],
    });
    const duration = families.get('messaging_process_duration_seconds')!;
    expect(duration.type).toBe('HISTOGRAM');
    expect(Object.keys(duration.metrics[0]!.buckets!)).toHaveLength(15);
    const counts = await countsOf(register, 'messaging_process_duration_seconds');
    expect(counts.toSorted((a, b) => Number(b.value) - Number(a.value))).toEqual([
      { labels: { ...mail, outcome: 'done' }, value: '2' },
      { labels: { ...mail, outcome: 'failed', error_type: 'PermanentError' }, value: '1' },
    ]);
    expect(await countsOf(register, 'nestjs_typeorm_jobs_wait_duration_seconds')).toEqual([
      { labels: mail, value: '3' },
    ]);
    for (const gauge of ['ready', 'oldest_ready_seconds', 'running', 'workers'])
      expect(families.get(`nestjs_typeorm_jobs_${gauge}`)).toMatchObject({
        type: 'GAUGE',
        metrics: expect.arrayContaining([expect.objectContaining({ labels: mail })]) as unknown,
      });
    const text = await register.metrics();
    for (const { id } of jobs) expect(text).not.toContain(id);
  });

  it('count failures of the storage and enqueues that were refused', async () => {
    const register = new Registry();
    const app = await start();
    const end = jobsMetrics(register, app);
    const job = { id: '4711', kind: 'mail' } as never;
    eventsOf(app).emit('lost', { job, error: new Error('no') as never });
    eventsOf(app).emit('settleFailed', { jobs: [job], error: new Error('no') });
    await expect(app.get(JobClient).enqueue('mail', NaN)).rejects.toThrow('NaN');
    const families = await familiesOf(register);
    const series = (name: string) => families.get(name)!.metrics;
    const mail = { queue: 'default', kind: 'mail' };
    expect(series('nestjs_typeorm_jobs_lease_losses_total')).toEqual([{ labels: mail, value: '1' }]);
    expect(series('nestjs_typeorm_jobs_settle_retries_total')).toEqual([{ labels: mail, value: '1' }]);
    expect(series('messaging_client_sent_messages_total')).toEqual([
      { labels: { ...mail, error_type: 'InvalidJobError' }, value: '1' },
    ]);
    end();
    expect(eventsOf(app).instrument).toBeUndefined();
    eventsOf(app).emit('lost', { job: { ...(job as object) } as never, error: new Error('no') as never });
    expect(
      (await familiesOf(register)).get('nestjs_typeorm_jobs_lease_losses_total')!.metrics[0]!.value,
    ).toBe('1');
  });
}

@Injectable()
class Secret {
  readonly value = 'let me in';
}

@Module({ providers: [Secret], exports: [Secret] })
class SecretModule {}

@Injectable()
class ScraperGuard implements CanActivate {
  constructor(private readonly secret: Secret) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers.authorization === this.secret.value;
  }
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const)('The path of metrics on %s', (_platform, makeAdapter) => {
  let app: INestApplication<Server> | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  const serve = async (
    options: JobsMetricsOptions,
    prepare: (one: INestApplication<Server>) => void = () => undefined,
  ) => {
    const imports = [
      JobsTestingModule.forRoot({ ...QUICK, logger: new MemoryLogger() }),
      JobsMetricsModule.forRoot({ register: new Registry(), ...options }),
    ];
    const testing = await Test.createTestingModule({ imports, providers: [Mails] }).compile();
    app = testing.createNestApplication<INestApplication<Server>>(makeAdapter() as never, { logger: false });
    prepare(app);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return (path: string, authorization = '') =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization } });
  };

  it('is closed to those whom the guards do not know', async () => {
    const ask = await serve({ guards: [ScraperGuard], imports: [SecretModule] });
    expect((await ask('/metrics')).status).toBe(403);
    const answer = await ask('/metrics', 'let me in');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    await app!.get(JobClient).enqueue('mail', 'a');
    await jobsTester(app!).drain();
    const families = parse(await (await ask('/metrics', 'let me in')).text());
    const consumed = families.find(({ name }) => name === 'messaging_client_consumed_messages_total');
    expect(consumed!.metrics).toEqual([{ labels: { queue: 'default', kind: 'mail' }, value: '1' }]);
  });

  it('is where the options, the prefix and the versions of the application say', async () => {
    const ask = await serve({ path: 'internal/jobs-metrics', unguarded: true }, (one) => {
      one.setGlobalPrefix('api');
      one.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    expect((await ask('/api/internal/jobs-metrics')).status).toBe(200);
    expect((await ask('/metrics')).status).toBe(404);
  });

  it('serves what else is in the registry', async () => {
    const register = new Registry();
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [register] }).inc(3);
    const ask = await serve({ register, unguarded: true });
    const families = parse(await (await ask('/metrics')).text());
    expect(families.find(({ name }) => name === 'orders_total')!.metrics).toEqual([{ value: '3' }]);
  });
});

describe('JobsMetricsModule', () => {
  it.each([
    [{}, 'guards', 'Option "guards" is undefined; it must be a list of one guard at least'],
    [{ guards: [] }, 'guards', 'or else set unguarded: true'],
    [{ guards: [ScraperGuard], unguarded: true }, 'unguarded', 'left out beside guards'],
    [{ guards: [Secret] }, 'guards', 'with the method canActivate'],
    [{ unguarded: true, register: {} }, 'register', 'an object with the methods metrics'],
    [{ unguarded: true, url: 'x' }, 'url', 'no such option'],
  ])('refuses %p', (options, option, message) => {
    const make = () => JobsMetricsModule.forRoot(options as JobsMetricsOptions);
    expect(make).toThrow(expect.objectContaining({ name: 'InvalidOptionError', option }));
    expect(make).toThrow(message);
  });

  it('warns at each start that nobody is kept out', async () => {
    const lines: string[] = [];
    const warn = (line: string) => void lines.push(line);
    const logger = { log: () => undefined, warn, error: () => undefined };
    const imports = [
      JobsTestingModule.forRoot({ logger: new MemoryLogger() }),
      JobsMetricsModule.forRoot({ register: new Registry(), unguarded: true }),
    ];
    const app = await Test.createTestingModule({ imports }).setLogger(logger).compile();
    await app.init();
    expect(lines).toEqual([expect.stringContaining('Whoever reaches /metrics may read the metrics of jobs')]);
    await app.close();
  });

  it('shares a registry with that of another module', async () => {
    const register = new Registry();
    const queues = ['default', 'mails'];
    const app = await Test.createTestingModule({
      imports: queues.flatMap((name) => [
        JobsTestingModule.forRoot({ name, unknownKinds: 'allow', logger: new MemoryLogger() }),
        JobsMetricsModule.forRoot({ name, register, unguarded: true, path: `metrics-${name}` }),
      ]),
    }).compile();
    app.useLogger(false);
    await app.init();
    for (const name of queues)
      await app.get(name === 'default' ? JobClient : `JobClient:${name}`).enqueue('mail');
    const sent = (await familiesOf(register)).get('messaging_client_sent_messages_total')!;
    expect(sent.metrics.map(({ labels }) => labels)).toEqual(
      queues.map((queue) => ({ queue, kind: 'mail' })),
    );
    await app.close();
  });

  it('refuses an application without the module that it is for', async () => {
    const app = await Test.createTestingModule({ imports: [JobsTestingModule.forRoot()] }).compile();
    expect(() => jobsMetrics(new Registry(), app, { name: 'mails' })).toThrow(InvalidOptionError);
  });
});

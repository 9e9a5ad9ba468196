import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Registry } from 'prom-client';
import { JobsHealthIndicator, JobsHealthModule, getJobsHealthToken } from '../../lib/health/index.js';
import { InvalidOptionError, JobClient } from '../../lib/index.js';
import { JobsMetricsModule } from '../../lib/prometheus/index.js';
import { JobsTelemetryModule } from '../../lib/telemetry/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { Mails, QUICK } from '../support/observed-applications.js';
import { OpenTelemetry } from '../support/open-telemetry.js';

/** What only the application has. */
@Injectable()
class Settings {
  readonly register = new Registry();
  readonly parent = true;
  readonly maxReadyMs = 0;
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

const FROM_SETTINGS = { imports: [SettingsModule], inject: [Settings] };

const OTEL = OpenTelemetry.forEachTest();
let app: INestApplication | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

const start = async (imports: DynamicModule[], adapter: unknown = new ExpressAdapter()) => {
  const jobs = JobsTestingModule.forRoot({ ...QUICK, logger: new MemoryLogger() });
  const testing = await Test.createTestingModule({
    imports: [jobs, ...imports],
    providers: [Mails],
  }).compile();
  app = testing.createNestApplication(adapter as never, { logger: false });
  await app.init();
  return app;
};

describe('Options that other providers make', () => {
  it('reach the spans and metrics of OpenTelemetry', async () => {
    const one = await start([
      JobsTelemetryModule.forRootAsync({
        ...FROM_SETTINGS,
        useFactory: async ({ parent }: Settings) => {
          await Promise.resolve();
          return { parent, meterProvider: OTEL.current.meterProvider };
        },
      }),
    ]);
    await one.get(JobClient).enqueue('mail', 'a');
    await jobsTester(one).drain();
    const [attempt] = await OTEL.current.processed(1);
    const [send] = OTEL.current.sent;
    expect(attempt!.parentSpanContext?.spanId).toBe(send!.spanContext().spanId);
    expect((await OTEL.current.points()).map(({ name }) => name)).toContain('messaging.process.duration');
  });

  it.each([
    ['Express', () => new ExpressAdapter()],
    ['Fastify', () => new FastifyAdapter()],
  ] as const)('reach the path of metrics on %s', async (_platform, adapter) => {
    const one = await start(
      [
        JobsMetricsModule.forRootAsync({
          ...{ ...FROM_SETTINGS, path: 'internal/metrics', unguarded: true },
          useFactory: ({ register }: Settings) => ({ register, clusterGauges: false }),
        }),
      ],
      adapter(),
    );
    await one.get(JobClient).enqueue('mail', 'a');
    await one.listen(0, '127.0.0.1');
    const answer = await fetch(`${await one.getUrl()}/internal/metrics`);
    const { register } = one.get(Settings, { strict: false });
    expect(answer.headers.get('content-type')).toBe(register.contentType);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const typesIn = (text: string) => text.match(/^# TYPE .*$/gm); // values change from one collection to the next
    const types = typesIn(await answer.text());
    expect(types).toContain('# TYPE messaging_client_sent_messages_total counter');
    expect(types).toEqual(typesIn(await register.metrics()));
    expect(register.getSingleMetric('messaging_client_sent_messages_total')).toBeDefined();
  });

  it('reach the health of jobs, under the name of their module', async () => {
    const one = await start([
      JobsHealthModule.forRootAsync({
        ...FROM_SETTINGS,
        useFactory: ({ maxReadyMs }: Settings) => ({ maxReadyMs }),
      }),
    ]);
    await one.get(JobClient).enqueue('mail', 'a', { runAt: new Date(Date.now() - 60_000) });
    const health = one.get<JobsHealthIndicator>(getJobsHealthToken(), { strict: false });
    expect(health).toBeInstanceOf(JobsHealthIndicator);
    const { problems } = (await health.check()).backlog;
    expect(problems.map(({ code }) => code)).toContain('backlog-old');
  });

  const modules = {
    JobsTelemetryModule: (options: object) => JobsTelemetryModule.forRootAsync(options as never),
    JobsMetricsModule: (options: object) =>
      JobsMetricsModule.forRootAsync({ unguarded: true, ...options } as never),
    JobsHealthModule: (options: object) => JobsHealthModule.forRootAsync(options as never),
  };

  describe.each(Object.entries(modules))('of %s', (_name, module) => {
    it.each([
      [{}, 'useFactory'],
      [{ useFactory: () => ({}), inject: 'x' }, 'inject'],
      [{ useFactory: () => ({}), imports: 'x' }, 'imports'],
      [{ useFactory: () => ({}), kindsCacheMs: 1 }, 'kindsCacheMs'],
    ])('refuse %j before the application starts', (options, option) => {
      expect(() => module(options)).toThrow(expect.objectContaining({ name: 'InvalidOptionError', option }));
    });

    it.each([
      [undefined, 'what the factory of options returns'],
      [{ name: 'mails' }, 'name'],
      [{ unknown: 1 }, 'unknown'],
    ])('refuse %j of the factory when the application starts', async (made, option) => {
      const starting = start([module({ useFactory: () => made })]);
      await expect(starting).rejects.toMatchObject({ option });
      await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
    });
  });
});

import 'reflect-metadata';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Injectable, Module, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { context, propagation } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { JobClient, JobHandler, JobsModule, type Job } from 'nestjs-typeorm-jobs';
import { JobsDashboardModule } from 'nestjs-typeorm-jobs/dashboard';
import { JobsHealthIndicator, JobsHealthModule } from 'nestjs-typeorm-jobs/health';
import { JobsMetricsModule } from 'nestjs-typeorm-jobs/prometheus';
import { JobsTelemetryModule } from 'nestjs-typeorm-jobs/telemetry';
import { Registry } from 'prom-client';

export type Platform = 'express' | 'fastify';
export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

/** Several applications run this on one database. */
const APP = process.env.npm_package_name;
const KEY = { 'x-key': 'open' };
const SAME_SITE = { ...KEY, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };

@Injectable()
class KeyGuard implements CanActivate {
  canActivate(ctx: ExecutionContext): boolean {
    const { headers } = ctx.switchToHttp().getRequest<{ headers: Record<string, unknown> }>();
    return headers['x-key'] === 'open';
  }
}

@Injectable()
class Greetings {
  @JobHandler(`observed.${APP}`)
  greet(job: Job<{ name: string }>): string {
    return `Hello ${job.payload.name}`;
  }
}

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly jobs: JobsHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.jobs.isLive('live'), () => this.jobs.isReady('ready')]);
  }
}

/**
 * An application with the dashboard, telemetry, metrics and health checks. It is asked over HTTP, as a browser, Prometheus and
 * Kubernetes do.
 */
export async function observe(platform: Platform): Promise<void> {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());

  @Module({
    imports: [
      TypeOrmModule.forRoot({ type: 'postgres', url: process.env.POSTGRES_URL }),
      JobsModule.forRoot(),
      JobsDashboardModule.forRoot({ path: 'admin/jobs', guards: [KeyGuard] }),
      JobsTelemetryModule.forRoot({ tracerProvider, metrics: false }),
      JobsMetricsModule.forRoot({ path: 'internal/metrics', guards: [KeyGuard], register: new Registry() }),
      TerminusModule,
      JobsHealthModule.forRoot(),
    ],
    controllers: [HealthController],
    providers: [Greetings],
  })
  class AppModule {}

  const logger = ['error', 'warn'] as const;
  const app =
    platform === 'fastify'
      ? await NestFactory.create(AppModule, new FastifyAdapter(), { logger: [...logger] })
      : await NestFactory.create(AppModule, { logger: [...logger] });
  try {
    await app.listen(0, '127.0.0.1');
    const origin = await app.getUrl();
    const get = (path: string) => fetch(`${origin}${path}`, { headers: KEY });
    const act = (action: string, body: object, headers: Record<string, string> = SAME_SITE) =>
      fetch(`${origin}/admin/jobs/api/act/${action}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });

    assert.equal((await fetch(`${origin}/admin/jobs`)).status, 403);
    const page = await get('/admin/jobs');
    assert.equal(page.status, 200);
    const html = await page.text();
    const base = new URL(/<base href="([^"]*)"/.exec(html)![1]!, page.url);
    const assets = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, file]) => file!);
    assert.equal(assets.length, 2);
    for (const file of assets) {
      const asset = await get(new URL(file, base).pathname);
      assert.equal(asset.status, 200);
      assert.ok((await asset.text()).length > 1_000);
    }

    const wanted = { kind: `observed.${APP}`, payload: '{"name": "Ada"}' };
    assert.equal(
      (await act('enqueue', wanted, { ...SAME_SITE, 'sec-fetch-site': 'cross-site' })).status,
      403,
    );
    const enqueued = await act('enqueue', wanted);
    const { id, error } = (await enqueued.json()) as { id: string; error?: object };
    assert.equal(error, undefined);
    const jobs = app.get(JobClient);
    const end = Date.now() + 10_000;
    while ((await jobs.get(id))?.status === 'PENDING' && Date.now() < end) await sleep(10);
    const { job } = (await (await get(`/admin/jobs/api/job?id=${id}`)).json()) as { job: object };
    assert.match(JSON.stringify(job), /"state":"done"/);
    assert.match(JSON.stringify(job), /Hello Ada/);

    const attempt = spans.getFinishedSpans().find(({ name }) => name === `process observed.${APP}`);
    const send = spans.getFinishedSpans().find(({ name }) => name === `send observed.${APP}`);
    assert.equal(attempt?.attributes['messaging.message.id'], id);
    assert.deepEqual(
      attempt.links.map((link) => link.context.spanId),
      [send?.spanContext().spanId],
    );
    const metrics = await (await get('/internal/metrics')).text();
    assert.match(
      metrics,
      new RegExp(`^messaging_client_consumed_messages_total\\{.*observed\\.${APP}.*\\} 1$`, 'm'),
    );
    const health = await get('/health');
    assert.equal(health.status, 200);
    assert.match(await health.text(), /"ready":\{"status":"up"/);
  } finally {
    await app.close();
    context.disable();
    propagation.disable();
  }
}

/*
 * What telemetry costs a drain: the same backlog is worked off without it and with it, in turns, each in a process of its own,
 * because what a span switches on in Node stays on for as long as the process lives.
 *
 *     npm run build:lib && BENCH_POSTGRES_URL=postgres://postgres@127.0.0.1:5432/postgres node test/bench/telemetry.mjs \
 *       [jobs] [rounds] [variant, variant]
 *
 * The SDK is the real one: spans are batched as the SDK for Node does it, and an exporter that sends nothing takes them.
 */
import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { JobClient, JobHandler, JobsModule } from '../../dist/index.js';
import { JobsMetricsModule } from '../../dist/prometheus/index.js';
import { JobsTelemetryModule } from '../../dist/telemetry/index.js';

const JOBS = Number(process.argv[2] ?? 20_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const BATCH = 1_000;
const url = process.env.BENCH_POSTGRES_URL;
if (url === undefined) throw new Error('Set BENCH_POSTGRES_URL to a PostgreSQL that may be worked on.');

const exporter = { export: (_spans, done) => done({ code: 0 }), shutdown: () => Promise.resolve() };
const tracerProviderOf = (ratio) =>
  new BasicTracerProvider({
    sampler: new TraceIdRatioBasedSampler(ratio),
    spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: 1e6 })],
  });
const meterProvider = new MeterProvider({
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      exportIntervalMillis: 60_000,
    }),
  ],
});

/** As a job carries it that was enqueued within a span. */
const CARRIER = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

const VARIANTS = {
  'without telemetry': () => [],
  'a context of Node alone': () => {
    new AsyncLocalStorage().enterWith('as any tracing enters one for each request');
    return [];
  },
  'telemetry without an SDK': () => [JobsTelemetryModule.forRoot()],
  'all traces and metrics': () => [
    JobsTelemetryModule.forRoot({ tracerProvider: tracerProviderOf(1), meterProvider }),
  ],
  '1 % of traces and metrics': () => [
    JobsTelemetryModule.forRoot({ tracerProvider: tracerProviderOf(0.01), meterProvider }),
  ],
  'by hand: all traces': () => byHand(1),
  'by hand: 1 % of traces': () => byHand(0.01),
  'metrics alone': () => [JobsTelemetryModule.forRoot({ traces: false, meterProvider })],
  'prom-client': () => [JobsMetricsModule.forRoot({ register: new Registry(), unguarded: true })],
};

/** What the SDK itself takes: handlers call it as an application would, without the module, for the same span and histograms. */
function byHand(ratio) {
  const tracer = tracerProviderOf(ratio).getTracer('bench');
  const meter = meterProvider.getMeter('bench');
  const wait = meter.createHistogram('wait', { unit: 's' });
  const duration = meter.createHistogram('duration', { unit: 's' });
  const common = { 'messaging.system': 'nestjs_typeorm_jobs', 'messaging.operation.name': 'process' };
  const ofKind = {
    ...common,
    'messaging.destination.name': 'nothing',
    'nestjs_typeorm_jobs.queue': 'default',
  };
  const ofEnd = { ...ofKind, 'nestjs_typeorm_jobs.outcome': 'done' };
  around = (job, work) => {
    const attributes = {
      'messaging.system': 'nestjs_typeorm_jobs',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': job.kind,
      'messaging.message.id': job.id,
      'messaging.client.id': job.lockedBy,
      'nestjs_typeorm_jobs.queue': 'default',
      'nestjs_typeorm_jobs.attempt': job.attemptsDone + 1,
    };
    const origin = propagation.extract(ROOT_CONTEXT, CARRIER);
    const links = [{ context: trace.getSpanContext(origin) }];
    const options = { kind: SpanKind.CONSUMER, attributes, links, root: true };
    const start = performance.now();
    const span = tracer.startSpan('process nothing', options, origin);
    wait.record(0.1, ofKind);
    context.with(trace.setSpan(origin, span), work);
    span.setAttribute('nestjs_typeorm_jobs.outcome', 'done');
    span.end();
    duration.record((performance.now() - start) / 1000, ofEnd);
  };
  return [];
}

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());

const nothing = () => undefined;
const SILENT = { debug: nothing, log: nothing, warn: nothing, error: nothing, isDebugEnabled: () => false };

let left = 0;
let allRun = () => undefined;

/** What stands around the work of a handler. */
let around = (_job, work) => work();

const work = () => {
  left -= 1;
  if (left === 0) allRun();
};

class Nothing {
  run(job) {
    around(job, work);
  }
}
const run = Object.getOwnPropertyDescriptor(Nothing.prototype, 'run');
JobHandler('nothing')(Nothing.prototype, 'run', run);

const admin = await new DataSource({ type: 'postgres', url }).initialize();
if (process.send === undefined) await compare(process.argv[4]?.split(', ') ?? Object.keys(VARIANTS));
else process.send(await measure(VARIANTS[process.argv[4]]));
await admin.query('DROP SCHEMA IF EXISTS telemetry_bench CASCADE');
await admin.destroy();
process.exit(); // no interval of a meter holds it open

async function compare(names) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const name of inTurn(names, round)) {
      const child = fork(fileURLToPath(import.meta.url), [JOBS, ROUNDS, name]);
      const exit = once(child, 'exit');
      const failed = exit.then(() => Promise.reject(new Error(`"${name}" has ended without a result.`)));
      const [result] = await Promise.race([once(child, 'message'), failed]);
      results[name].push(result);
      await exit;
    }
  report(results);
}

/** The second drain of a process. The first one warms up. */
async function measure(modules) {
  await drain(modules);
  return drain(modules);
}

function inTurn(names, round) {
  const first = round % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}

/** @returns jobs a second, from the start of the worker until nothing is left, and the CPU of this process for each, in µs */
async function drain(modules) {
  await admin.query('DROP SCHEMA IF EXISTS telemetry_bench CASCADE');
  await admin.query('CREATE SCHEMA telemetry_bench');
  const typeOrm = TypeOrmModule.forRoot({ type: 'postgres', url });
  const jobs = (worker) => JobsModule.forRoot({ schema: 'telemetry_bench', worker, logger: SILENT });
  await withApplication([typeOrm, jobs(false), ...modules()], [], async (app) => {
    const payloads = Array.from({ length: BATCH }, (_, n) => ({ kind: 'nothing', payload: { n } }));
    for (let n = 0; n < JOBS; n += BATCH) await app.get(JobClient).enqueueMany(payloads);
  });
  await admin.query('ANALYZE telemetry_bench.nest_jobs');
  left = JOBS;
  const ended = new Promise((resolve) => (allRun = resolve));
  let start = 0;
  let cpu;
  const begins = { onApplicationBootstrap: () => ([start, cpu] = [performance.now(), process.cpuUsage()]) };
  let ms = 0;
  await withApplication(
    [typeOrm, jobs({ concurrency: 100 }), ...modules()],
    [Nothing, { provide: 'begins', useValue: begins }],
    async () => {
      await ended;
      const pending = `SELECT 1 FROM telemetry_bench.nest_jobs WHERE status = 'PENDING' LIMIT 1`;
      while ((await admin.query(pending)).length > 0);
      ms = performance.now() - start;
      cpu = process.cpuUsage(cpu);
    },
  );
  return { rate: (JOBS * 1000) / ms, cpuUs: (cpu.user + cpu.system) / JOBS };
}

async function withApplication(imports, providers, work) {
  class Root {}
  Module({ imports, providers })(Root);
  const app = await NestFactory.createApplicationContext(Root, { logger: false });
  try {
    await work(app);
  } finally {
    await app.close();
  }
}

function report(results) {
  const of = (name, key) => median(results[name].map((result) => result[key]));
  const base = of(Object.keys(results)[0], 'rate');
  for (const name of Object.keys(results)) {
    const rate = of(name, 'rate');
    const share = ((rate / base) * 100).toFixed(1);
    const figures = [
      `${Math.round(rate)} jobs/s`,
      `${share} %`,
      `${of(name, 'cpuUs').toFixed(1)} µs of CPU a job`,
    ];
    console.log(`${name.padEnd(24)} ${figures.map((figure) => figure.padStart(14)).join('  ')}`);
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

import { afterEach, beforeEach } from '@jest/globals';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { until } from './until.js';

/** One point of a metric. */
export interface MeasuredPoint {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number | Histogram;
}

/** The real SDK of OpenTelemetry, in memory. */
export class OpenTelemetry {
  private readonly exporter = new InMemorySpanExporter();
  readonly tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.exporter)],
  });
  private readonly reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: 2 ** 30,
  });
  readonly meterProvider = new MeterProvider({ readers: [this.reader] });

  /** A new one for each test of the `describe` that this is called in, registered with the API. */
  static forEachTest(): { readonly current: OpenTelemetry } {
    const holder = { current: undefined as unknown as OpenTelemetry };
    beforeEach(() => {
      holder.current = new OpenTelemetry();
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      trace.setGlobalTracerProvider(holder.current.tracerProvider);
    });
    afterEach(async () => {
      await holder.current.tracerProvider.shutdown();
      await holder.current.meterProvider.shutdown();
      for (const api of [context, propagation, trace]) api.disable();
    });
    return holder;
  }

  /** Spans that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.exporter.getFinishedSpans();
  }

  /** Those of attempts, once so many of them have ended. */
  async processed(count: number): Promise<readonly ReadableSpan[]> {
    const spans = () => this.spans.filter(({ kind }) => kind === SpanKind.CONSUMER);
    await until(() => spans().length >= count, { what: `"${count} attempts have spans"` });
    return spans();
  }

  get sent(): readonly ReadableSpan[] {
    return this.spans.filter(({ kind }) => kind === SpanKind.PRODUCER);
  }

  /** All points of all metrics, as they are now. */
  async points(): Promise<MeasuredPoint[]> {
    const { resourceMetrics, errors } = await this.reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ descriptor: { name, unit }, dataPoints }) =>
        (dataPoints as DataPoint<number | Histogram>[]).map(({ attributes, value }) => ({
          ...{ name, unit, attributes, value },
        })),
      ),
    );
  }
}

import type {
  Attributes,
  BatchObservableResult,
  Counter,
  Histogram,
  Meter,
  ObservableGauge,
} from '@opentelemetry/api';
import type { MetricTaker } from '../metrics/measured-module.js';
import {
  COUNTERS,
  GAUGES,
  HISTOGRAMS,
  type CounterName,
  type GaugeName,
  type GaugeSource,
  type HistogramName,
  type MetricDefinition,
  type MetricLabels,
  type MetricSink,
  type Series,
} from '../metrics/metric.js';
import { PendingCounts } from '../metrics/pending-counts.js';
import { ATTRIBUTE, SYSTEM, type Operation } from './attributes.js';

/** The operation that a metric of the semantic conventions is about. */
const OPERATIONS: { readonly [Name in CounterName | HistogramName]?: Operation } = {
  sent: 'send',
  consumed: 'process',
  processDuration: 'process',
};

/** Gives what is measured to a meter of OpenTelemetry. */
export class MeterTaker implements MetricTaker, MetricSink {
  private readonly counters: Readonly<Record<CounterName, Counter>>;
  private readonly histograms: Readonly<Record<HistogramName, Histogram>>;
  private readonly gauges: Readonly<Record<GaugeName, ObservableGauge>>;
  private readonly pending = new PendingCounts();

  /** @param queue the name of the module */
  constructor(
    private readonly meter: Meter,
    private readonly queue: string,
  ) {
    this.counters = made(COUNTERS, ({ name, ...options }) => meter.createCounter(name, options));
    this.histograms = made(HISTOGRAMS, ({ name, buckets, ...options }) =>
      meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: [...buckets!] } }),
    );
    this.gauges = made(GAUGES, ({ name, ...options }) => meter.createObservableGauge(name, options));
  }

  get sink(): MetricSink {
    return this;
  }

  counter(name: CounterName, labels: MetricLabels): Series {
    const [counter, attributes] = [this.counters[name], this.attributesOf(labels, OPERATIONS[name])];
    return this.pending.series((count) => counter.add(count, attributes));
  }

  histogram(name: HistogramName, labels: MetricLabels): Series {
    const [histogram, attributes] = [this.histograms[name], this.attributesOf(labels, OPERATIONS[name])];
    return (seconds) => histogram.record(seconds, attributes);
  }

  observe(sources: readonly GaugeSource[]): () => void {
    const gauges = Object.values(this.gauges);
    const callback = async (result: BatchObservableResult) => {
      this.pending.flush(); // a meter calls back before it collects
      const readings = await Promise.all(sources.map((source) => source.read()));
      for (const { gauge, value, labels } of readings.flat())
        result.observe(this.gauges[gauge], value, this.attributesOf(labels));
    };
    this.meter.addBatchObservableCallback(callback, gauges);
    return () => {
      this.meter.removeBatchObservableCallback(callback, gauges);
      this.pending.flush();
    };
  }

  private attributesOf({ kind, errorType, outcome, stat }: MetricLabels, operation?: Operation): Attributes {
    const attributes: Attributes = { 'messaging.system': SYSTEM, 'nestjs_typeorm_jobs.queue': this.queue };
    if (operation !== undefined) attributes[ATTRIBUTE.operationName] = operation;
    if (kind !== undefined) attributes[ATTRIBUTE.destination] = kind;
    if (errorType !== undefined) attributes[ATTRIBUTE.errorType] = errorType;
    if (outcome !== undefined) attributes[ATTRIBUTE.outcome] = outcome;
    if (stat !== undefined) attributes[ATTRIBUTE.stat] = stat;
    return attributes;
  }
}

function made<Name extends string, Made>(
  definitions: Readonly<Record<Name, MetricDefinition>>,
  make: (definition: MetricDefinition) => Made,
): Readonly<Record<Name, Made>> {
  const entries = Object.entries<MetricDefinition>(definitions);
  return Object.fromEntries(entries.map(([name, definition]) => [name, make(definition)])) as Record<
    Name,
    Made
  >;
}

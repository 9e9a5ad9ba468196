import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { sharedByCopies } from '../job/copies.js';
import type { MetricTaker } from '../metrics/measured-module.js';
import {
  COUNTERS,
  GAUGES,
  HISTOGRAMS,
  type CounterName,
  type GaugeName,
  type GaugeSource,
  type HistogramName,
  type MetricLabels,
  type MetricSink,
  type Series,
} from '../metrics/metric.js';
import { PendingCounts } from '../metrics/pending-counts.js';
import { prometheusName } from './prometheus-name.js';

/** A source of gauges, and the name of its module. */
interface QueueSource {
  readonly queue: string;
  readonly source: GaugeSource;
}

const LABELS: { readonly [Name in CounterName | HistogramName | GaugeName]: readonly string[] } = {
  sent: ['queue', 'kind', 'error_type'],
  consumed: ['queue', 'kind'],
  leaseLosses: ['queue', 'kind'],
  settleRetries: ['queue', 'kind'],
  workerLosses: ['queue', 'kind'],
  processDuration: ['queue', 'kind', 'outcome', 'error_type'],
  waitDuration: ['queue', 'kind'],
  ready: ['queue', 'kind'],
  oldestReady: ['queue', 'kind'],
  running: ['queue', 'kind'],
  workers: ['queue', 'kind'],
  eventLoopDelay: ['queue', 'stat'],
};

/** What a registry collects from: a metric is registered once, whatever number of modules it is of. */
interface Collected {
  readonly sources: Set<QueueSource>;
  readonly pending: Set<PendingCounts>;
}

const collectedBy = sharedByCopies('prometheus-registries', () => new WeakMap<Registry, Collected>());

/** Gives what is measured to a registry of prom-client. */
export class RegistryTaker implements MetricTaker, MetricSink {
  private readonly collected: Collected;
  private readonly pending = new PendingCounts();
  private readonly counters: Readonly<Record<CounterName, Counter>>;
  private readonly histograms: Readonly<Record<HistogramName, Histogram>>;

  /** @param queue the name of the module */
  constructor(
    private readonly register: Registry,
    private readonly queue: string,
  ) {
    this.collected = collectedBy.get(register) ?? { sources: new Set(), pending: new Set() };
    collectedBy.set(register, this.collected);
    this.collected.pending.add(this.pending);
    this.counters = made(COUNTERS, (name) => this.registeredCounter(name));
    this.histograms = made(HISTOGRAMS, (name) => this.registeredHistogram(name));
    made(GAUGES, (name) => this.registeredGauge(name));
  }

  get sink(): MetricSink {
    return this;
  }

  counter(name: CounterName, labels: MetricLabels): Series {
    const [counter, own] = [this.counters[name], labelsOf(this.queue, labels)];
    return this.pending.series((count) => counter.inc(own, count));
  }

  histogram(name: HistogramName, labels: MetricLabels): Series {
    const [histogram, own] = [this.histograms[name], labelsOf(this.queue, labels)];
    return (seconds) => histogram.observe(own, seconds);
  }

  observe(sources: readonly GaugeSource[]): () => void {
    const own = sources.map((source) => ({ queue: this.queue, source }));
    const { sources: all, pending } = this.collected;
    for (const one of own) all.add(one);
    return () => {
      for (const one of own) all.delete(one);
      this.pending.flush();
      pending.delete(this.pending);
    };
  }

  private registeredCounter(counter: CounterName): Counter {
    const { description: help } = COUNTERS[counter];
    const name = prometheusName(COUNTERS[counter], true);
    const { pending } = this.collected;
    const collect = () => {
      for (const counts of pending) counts.flush();
    };
    const options = { name, help, labelNames: LABELS[counter], collect };
    const make = () => new Counter({ ...options, registers: [this.register] });
    return (this.register.getSingleMetric(name) as Counter | undefined) ?? make();
  }

  private registeredHistogram(histogram: HistogramName): Histogram {
    const { description: help, buckets } = HISTOGRAMS[histogram];
    const name = prometheusName(HISTOGRAMS[histogram]);
    const options = { name, help, buckets: [...buckets], labelNames: LABELS[histogram] };
    const make = () => new Histogram({ ...options, registers: [this.register] });
    return (this.register.getSingleMetric(name) as Histogram | undefined) ?? make();
  }

  /** Its series are those of this moment: a kind that is gone has none any more. */
  private registeredGauge(gauge: GaugeName): Gauge {
    const name = prometheusName(GAUGES[gauge]);
    const known = this.register.getSingleMetric(name) as Gauge | undefined;
    if (known !== undefined) return known;
    const { sources } = this.collected;
    return new Gauge({
      ...{ name, help: GAUGES[gauge].description, labelNames: LABELS[gauge], registers: [this.register] },
      async collect() {
        const read = await Promise.all([...sources].map((one) => readingsOf(one, gauge)));
        this.reset();
        for (const { labels, value } of read.flat()) this.set(labels, value);
      },
    });
  }
}

async function readingsOf({ queue, source }: QueueSource, gauge: GaugeName) {
  if (!source.gauges.includes(gauge)) return [];
  const readings = (await source.read()).filter((reading) => reading.gauge === gauge);
  return readings.map(({ labels, value }) => ({ labels: labelsOf(queue, labels), value }));
}

function labelsOf(queue: string, { kind, errorType, outcome, stat }: MetricLabels): Record<string, string> {
  const labels: Record<string, string> = { queue };
  if (kind !== undefined) labels.kind = kind;
  if (errorType !== undefined) labels.error_type = errorType;
  if (outcome !== undefined) labels.outcome = outcome;
  if (stat !== undefined) labels.stat = stat;
  return labels;
}

function made<Name extends string, Made>(
  definitions: Readonly<Record<Name, unknown>>,
  make: (name: Name) => Made,
): Readonly<Record<Name, Made>> {
  const names = Object.keys(definitions) as Name[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Made>;
}

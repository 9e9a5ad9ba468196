/** What is measured, with names and units as OpenTelemetry writes them. */
export interface MetricDefinition {
  readonly name: string;
  /** As UCUM writes it: `s` for seconds, and what is counted in braces. */
  readonly unit: 's' | '{message}' | '{job}' | '{worker}';
  readonly description: string;
  /** The upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[];
}

/** Those of the semantic conventions for `messaging.process.duration`. */
const PROCESS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Jobs may wait for an hour where requests do not. */
const WAIT_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

/** They count up, by kind. */
export const COUNTERS = {
  sent: {
    name: 'messaging.client.sent.messages',
    unit: '{message}',
    description: 'Jobs that this process has enqueued and committed, or has failed to enqueue.',
  },
  consumed: {
    name: 'messaging.client.consumed.messages',
    unit: '{message}',
    description: 'Attempts that this process has begun.',
  },
  leaseLosses: {
    name: 'nestjs_typeorm_jobs.lease.losses',
    unit: '{job}',
    description: 'Jobs whose lease this process has lost while it ran them.',
  },
  settleRetries: {
    name: 'nestjs_typeorm_jobs.settle.retries',
    unit: '{job}',
    description: 'Tries to write the outcome of a job that have failed.',
  },
  workerLosses: {
    name: 'nestjs_typeorm_jobs.worker.losses',
    unit: '{job}',
    description: 'Jobs that this process has taken from workers that died.',
  },
} as const satisfies Record<string, MetricDefinition>;

/** They measure times, by kind. */
export const HISTOGRAMS = {
  processDuration: {
    name: 'messaging.process.duration',
    unit: 's',
    description: 'How long attempts took.',
    buckets: PROCESS_BUCKETS,
  },
  waitDuration: {
    name: 'nestjs_typeorm_jobs.wait.duration',
    unit: 's',
    description: 'From the moment at which a job was ready to that of its claim.',
    buckets: WAIT_BUCKETS,
  },
} as const satisfies Record<string, MetricDefinition>;

/** They are read when somebody collects. All but the last are about the whole cluster. */
export const GAUGES = {
  ready: {
    name: 'nestjs_typeorm_jobs.ready',
    unit: '{job}',
    description: 'Jobs that may be claimed, counted up to 1,000. Of the whole cluster.',
  },
  oldestReady: {
    name: 'nestjs_typeorm_jobs.oldest_ready',
    unit: 's',
    description: 'For how long the oldest ready job has been ready. Of the whole cluster.',
  },
  running: {
    name: 'nestjs_typeorm_jobs.running',
    unit: '{job}',
    description: 'Jobs that live workers run. Of the whole cluster.',
  },
  workers: {
    name: 'nestjs_typeorm_jobs.workers',
    unit: '{worker}',
    description: 'Live workers that serve the kind. Of the whole cluster.',
  },
  eventLoopDelay: {
    name: 'nestjs_typeorm_jobs.event_loop.delay',
    unit: 's',
    description: 'How late the event loop of this process was since the last collection: p50, p99 and max.',
  },
} as const satisfies Record<string, MetricDefinition>;

export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
export type GaugeName = keyof typeof GAUGES;

/** What tells the series of a metric apart. There is no id among these. */
export interface MetricLabels {
  readonly kind?: string;
  /** The class of an error. */
  readonly errorType?: string;
  /** What an attempt ended in. */
  readonly outcome?: string;
  /** What is told of a distribution: `p50`, `p99` or `max`. */
  readonly stat?: string;
}

/** Takes values of one series of a metric: a number of jobs, or seconds. */
export type Series = (value: number) => void;

/** Takes what is measured, for one library of metrics. A series has no point before its first value. */
export interface MetricSink {
  counter(counter: CounterName, labels: MetricLabels): Series;
  histogram(histogram: HistogramName, labels: MetricLabels): Series;
}

/** The value of a gauge at this moment. */
export interface GaugeReading {
  readonly gauge: GaugeName;
  readonly value: number;
  readonly labels: MetricLabels;
}

/** What gauges are read from when somebody collects. */
export interface GaugeSource {
  readonly gauges: readonly GaugeName[];
  /** Never rejects: what cannot be read has no reading. */
  read(): Promise<readonly GaugeReading[]>;
}

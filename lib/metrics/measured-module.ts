import type { JobKinds } from '../client/job-kinds.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { EventLoopGauge } from './event-loop-gauge.js';
import { JobMeasures } from './job-measures.js';
import { KindGauges } from './kind-gauges.js';
import type { GaugeSource, MetricSink } from './metric.js';

/** What a library of metrics takes: values as they come, and sources of gauges for when it collects. */
export interface MetricTaker {
  readonly sink: MetricSink;
  /** @returns a function that ends it */
  observe(sources: readonly GaugeSource[]): () => void;
}

/** A module of jobs as metrics see it. */
export interface MeasuredModule {
  readonly events: JobsEvents;
  readonly kinds: Pick<JobKinds, 'list'>;
}

export interface MeasureSettings {
  /** Whether gauges tell of the whole cluster. */
  readonly clusterGauges: boolean;
  /** For how long what they tell is kept, in milliseconds. */
  readonly kindsCacheMs: number;
}

/** Begins to measure a module for a library of metrics. @returns a function that ends it */
export function measure(
  { events, kinds }: MeasuredModule,
  taker: MetricTaker,
  { clusterGauges, kindsCacheMs }: MeasureSettings,
): () => void {
  const eventLoop = new EventLoopGauge();
  const sources = clusterGauges ? [eventLoop, new KindGauges(kinds, kindsCacheMs)] : [eventLoop];
  eventLoop.start();
  const ends = [new JobMeasures(taker.sink).listenTo(events), taker.observe(sources), () => eventLoop.stop()];
  return () => {
    for (const end of ends) end();
  };
}

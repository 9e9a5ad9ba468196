import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { GaugeName, GaugeReading, GaugeSource } from './metric.js';

const RESOLUTION_MS = 20;
const NANOS = 1e9;

/** How late the event loop was since it was read last. It is measured by Node itself, outside of JavaScript. */
export class EventLoopGauge implements GaugeSource {
  readonly gauges: readonly GaugeName[] = ['eventLoopDelay'];
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.histogram.enable();
  }

  stop(): void {
    this.histogram.disable();
  }

  read(): Promise<readonly GaugeReading[]> {
    const { histogram } = this;
    const readings =
      histogram.count === 0
        ? []
        : [
            reading('p50', histogram.percentile(50)),
            reading('p99', histogram.percentile(99)),
            reading('max', histogram.max),
          ];
    histogram.reset();
    return Promise.resolve(readings);
  }
}

/** What Node measures is the time between two looks, of which the resolution is no delay. */
function reading(stat: string, nanos: number): GaugeReading {
  const value = Math.max(0, nanos / NANOS - RESOLUTION_MS / 1000);
  return { gauge: 'eventLoopDelay', value, labels: { stat } };
}

import type { MetricDefinition } from '../metrics/metric.js';

/** The name of a metric as exporters of OpenTelemetry write it for Prometheus: `messaging_process_duration_seconds`. */
export function prometheusName({ name, unit }: MetricDefinition, isCounter = false): string {
  const base = name.replaceAll('.', '_');
  const withUnit = unit === 's' ? `${base}_seconds` : base;
  return isCounter ? `${withUnit}_total` : withUnit;
}

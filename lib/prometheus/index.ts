/** Metrics for Prometheus: `nestjs-typeorm-jobs/prometheus`. It needs `prom-client`. */
export { jobsMetrics } from './jobs-metrics.js';
export type { JobsMetricsSettings } from './jobs-metrics.js';
export { JobsMetricsModule } from './jobs-metrics.module.js';
export type { JobsMetricsAsyncOptions, JobsMetricsFactorySettings } from './jobs-metrics.module.js';
export type { JobsMetricsIdentity, JobsMetricsOptions } from './metrics-options.js';
